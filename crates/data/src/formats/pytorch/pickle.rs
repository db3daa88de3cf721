//! Just enough of a pickle machine: what it builds is data, and what it would call is looked at, not called.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::tensor::{Tensor, storage, tensor};
use crate::formats::number::Stored;

/// What a pickle held.
pub(super) enum Unpickled {
    /// Tensors by the keys of what they stand in.
    Tensors(BTreeMap<String, Tensor>),
    /// No tensor, but an object of this class.
    Class(String),
}

/// What stands on the stack. Cheap to copy: a pickle may copy it a million times.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Int(i64),
    Text(Rc<str>),
    Tuple(Rc<[Value]>),
    /// A dictionary or list, at this place of the arena: it can change after it was stored elsewhere.
    Box(usize),
    Global(Rc<str>),
    Storage(Rc<str>, Stored),
    Tensor(Rc<Tensor>),
    /// An object of this class.
    Object(Rc<str>),
    Mark,
}

/// Values nested deeper than this are refused.
const DEEPEST: usize = 64;
/// Most values on the stack, and in the memory.
const MOST: usize = 1 << 22;

/// Runs the program.
pub(super) fn read(program: &[u8]) -> Result<Unpickled, String> {
    let mut machine = Machine {
        program,
        at: 0,
        stack: vec![],
        memo: BTreeMap::new(),
        arena: vec![],
    };
    let root = machine.run()?;
    let mut tensors = BTreeMap::new();
    machine.collect(&root, String::new(), 0, &mut tensors, &mut 0)?;
    match root {
        Value::Object(class) if tensors.is_empty() => Ok(Unpickled::Class(class.to_string())),
        _ if tensors.is_empty() => Err("no tensor in it".into()),
        _ => Ok(Unpickled::Tensors(tensors)),
    }
}

struct Machine<'a> {
    program: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    memo: BTreeMap<u64, Value>,
    /// Keys and values of dictionaries; of lists, positions and values.
    arena: Vec<Vec<(Value, Value)>>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value, String> {
        loop {
            let code = self.take(1)?[0];
            match code {
                b'.' => return self.pop(),
                // Protocol; frame.
                0x80 => drop(self.take(1)?),
                0x95 => drop(self.take(8)?),
                b'(' => self.push(Value::Mark)?,
                b'0' => drop(self.pop()?),
                b'1' => drop(self.since_mark()?),
                b'2' => {
                    let top = self.top()?.clone();
                    self.push(top)?;
                }
                b'N' => self.push(Value::None)?,
                0x88 => self.push(Value::Int(1))?,
                0x89 => self.push(Value::Int(0))?,
                b'K' => self.integer(1)?,
                b'M' => self.integer(2)?,
                b'J' => {
                    let four = self.array::<4>()?;
                    self.push(Value::Int(i32::from_le_bytes(four).into()))?;
                }
                0x8a => {
                    let n = self.take(1)?[0].into();
                    self.long(n)?;
                }
                b'G' => {
                    // A float is no part of a tensor's description: its value does not matter.
                    self.take(8)?;
                    self.push(Value::None)?;
                }
                b'X' => self.text(4)?,
                0x8c => self.text(1)?,
                0x8d => self.text(8)?,
                // Bytes: skipped over.
                b'B' => self.bytes(4)?,
                b'C' => self.bytes(1)?,
                0x8e => self.bytes(8)?,
                b'T' => self.bytes(4)?,
                b'U' => self.bytes(1)?,
                b')' => self.push(Value::Tuple(Rc::new([])))?,
                b't' => {
                    let all = self.since_mark()?;
                    self.push(Value::Tuple(all.into()))?;
                }
                0x85..=0x87 => {
                    let n = usize::from(code - 0x84);
                    let from = self.stack.len().checked_sub(n).ok_or(EMPTY)?;
                    let all = self.stack.split_off(from);
                    self.push(Value::Tuple(all.into()))?;
                }
                b'}' | b']' | 0x8f => self.new_box()?,
                b'd' | b'l' => {
                    let all = self.since_mark()?;
                    self.new_box()?;
                    self.fill(all, code == b'd')?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.fill(vec![key, value], true)?;
                }
                b'u' => {
                    let all = self.since_mark()?;
                    self.fill(all, true)?;
                }
                b'a' => {
                    let value = self.pop()?;
                    self.fill(vec![value], false)?;
                }
                b'e' | 0x90 => {
                    let all = self.since_mark()?;
                    self.fill(all, false)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Value::Global(format!("{module}.{name}").into()))?;
                }
                0x93 => match (self.pop()?, self.pop()?) {
                    (Value::Text(name), Value::Text(module)) => {
                        self.push(Value::Global(format!("{module}.{name}").into()))?;
                    }
                    _ => return Err("a class without a name".into()),
                },
                b'q' => {
                    let n = self.number(1)?;
                    self.remember(n)?;
                }
                b'r' => {
                    let n = self.number(4)?;
                    self.remember(n)?;
                }
                0x94 => self.remember(self.memo.len() as u64)?,
                b'h' => {
                    let n = self.number(1)?;
                    self.recall(n)?;
                }
                b'j' => {
                    let n = self.number(4)?;
                    self.recall(n)?;
                }
                b'Q' => {
                    let id = self.pop()?;
                    self.push(storage(id)?)?;
                }
                b'R' | 0x81 => {
                    let given = self.pop()?;
                    let called = self.pop()?;
                    self.call(&called, given)?;
                }
                // The state of an object: of one without any of its own, it is the object.
                b'b' => {
                    let state = self.pop()?;
                    if matches!(self.top()?, Value::Object(_)) && matches!(state, Value::Box(_)) {
                        self.pop()?;
                        self.push(state)?;
                    }
                }
                other => return Err(format!("the instruction {other:#04x} at byte {}", self.at)),
            }
        }
    }

    /// A function of these arguments: an empty dictionary, a tensor, or something else that is not looked into.
    fn call(&mut self, called: &Value, given: Value) -> Result<(), String> {
        let Value::Global(name) = called else {
            return self.push(Value::None);
        };
        let given = match given {
            Value::Tuple(given) => given,
            _ => Rc::new([]),
        };
        match &**name {
            "collections.OrderedDict" | "builtins.dict" | "collections.defaultdict" => {
                self.new_box()
            }
            "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor" => {
                let tensor = tensor(&given)?;
                self.push(Value::Tensor(Rc::new(tensor)))
            }
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
                let inner = given.first().cloned().unwrap_or(Value::None);
                self.push(inner)
            }
            other => self.push(Value::Object(other.into())),
        }
    }

    /// Adds keys and values, or values alone, to the dictionary or list on the stack.
    fn fill(&mut self, all: Vec<Value>, pairs: bool) -> Result<(), String> {
        // Into an object of a class of its own: not looked into.
        let Value::Box(place) = *self.top()? else {
            return Ok(());
        };
        let entries = self.arena.get_mut(place).ok_or(EMPTY)?;
        let mut all = all.into_iter();
        while let Some(first) = all.next() {
            if pairs {
                entries.push((first, all.next().ok_or("a key without a value")?));
            } else {
                entries.push((Value::Int(entries.len() as i64), first));
            }
        }
        Ok(())
    }

    fn collect(
        &self,
        value: &Value,
        name: String,
        depth: usize,
        into: &mut BTreeMap<String, Tensor>,
        seen: &mut usize,
    ) -> Result<(), String> {
        *seen += 1;
        if depth > DEEPEST || *seen > MOST {
            return Err(format!(
                "values nested deeper than {DEEPEST}, or without end"
            ));
        }
        let below = |key: &str| match (name.as_str(), key) {
            // Of a whole module: what state_dict() calls by the module's own path.
            (_, "_modules" | "_parameters" | "_buffers") => name.clone(),
            ("", _) => key.to_owned(),
            (above, _) => format!("{above}.{key}"),
        };
        match value {
            Value::Tensor(tensor) => {
                let name = if name.is_empty() {
                    "array".into()
                } else {
                    name
                };
                into.insert(name, Tensor::clone(tensor));
            }
            Value::Tuple(all) => {
                for (i, value) in all.iter().enumerate() {
                    self.collect(value, below(&i.to_string()), depth + 1, into, seen)?;
                }
            }
            Value::Box(place) => {
                for (key, value) in self.arena.get(*place).map_or(&[][..], |e| e) {
                    let key = match key {
                        Value::Text(text) => text.to_string(),
                        Value::Int(n) => n.to_string(),
                        _ => continue,
                    };
                    self.collect(value, below(&key), depth + 1, into, seen)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn new_box(&mut self) -> Result<(), String> {
        self.arena.push(vec![]);
        self.push(Value::Box(self.arena.len() - 1))
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        if self.stack.len() >= MOST {
            return Err("a stack without end".into());
        }
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(|| EMPTY.into())
    }

    fn top(&self) -> Result<&Value, String> {
        self.stack.last().ok_or_else(|| EMPTY.into())
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.stack.iter().rposition(|v| matches!(v, Value::Mark));
        let mark = mark.ok_or("no mark on the stack")?;
        let all = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(all)
    }

    fn remember(&mut self, place: u64) -> Result<(), String> {
        let top = self.top()?.clone();
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u64) -> Result<(), String> {
        let value = self.memo.get(&place).ok_or("nothing remembered there")?;
        self.push(value.clone())
    }

    fn take(&mut self, n: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(n).ok_or("a length without end")?;
        let bytes = self.program.get(self.at..end).ok_or("it ends early")?;
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| EMPTY.into())
    }

    /// An unsigned number of `n` bytes, 8 at most.
    fn number(&mut self, n: usize) -> Result<u64, String> {
        let bytes = self.take(n)?;
        let digits = bytes.iter().rev();
        Ok(digits.fold(0, |sum, b| sum << 8 | u64::from(*b)))
    }

    fn integer(&mut self, n: usize) -> Result<(), String> {
        let value = self.number(n)?;
        self.push(Value::Int(value as i64))
    }

    /// A signed number of `n` bytes.
    fn long(&mut self, n: usize) -> Result<(), String> {
        let bytes = self.take(n)?;
        let negative = bytes.last().is_some_and(|b| *b >= 0x80);
        let mut eight = [if negative { 0xff } else { 0 }; 8];
        let kept = bytes.len().min(8);
        eight[..kept].copy_from_slice(&bytes[..kept]);
        self.push(Value::Int(i64::from_le_bytes(eight)))
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        let n = self.length(length)?;
        let bytes = self.take(n)?.to_vec();
        let text = String::from_utf8(bytes).map_err(|e| e.to_string())?;
        self.push(Value::Text(text.into()))
    }

    fn bytes(&mut self, length: usize) -> Result<(), String> {
        let n = self.length(length)?;
        self.take(n)?;
        self.push(Value::None)
    }

    fn length(&mut self, n: usize) -> Result<usize, String> {
        usize::try_from(self.number(n)?).map_err(|e| e.to_string())
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = self.program.get(self.at..).unwrap_or(&[]);
        let n = rest.iter().position(|b| *b == b'\n');
        let n = n.ok_or("a name that does not end")?;
        let line = String::from_utf8_lossy(&rest[..n]).into_owned();
        self.at += n + 1;
        Ok(line)
    }
}

const EMPTY: &str = "the stack is empty";

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_pickle_that_grows_without_end_ends() {
        // ((((),()),((),())),...): each step holds the one before twice, 2^60 tuples at the end.
        let mut bomb = b"\x80\x02)".to_vec();
        for _ in 0..60 {
            bomb.extend(b"2\x86");
        }
        bomb.push(b'.');
        let error = read(&bomb).err();
        assert!(error.is_some_and(|e| e.contains("without end")));
    }

    #[test]
    fn what_is_no_pickle_is_refused_with_the_reason() {
        for (program, reason) in [
            (&b""[..], "ends early"),
            (b".", "stack is empty"),
            (b"i", "instruction"),
            (b"K\x01.", "no tensor"),
            (b"h\x00.", "nothing remembered"),
            (b"t.", "no mark"),
        ] {
            let error = read(program).err();
            assert!(
                error.as_ref().is_some_and(|e| e.contains(reason)),
                "{error:?}"
            );
        }
    }
}
