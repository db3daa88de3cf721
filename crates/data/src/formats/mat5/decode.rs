//! From bytes to values. A file is a header of 128 bytes and a row of elements; an element is a tag (type, length) and
//! its bytes; a matrix is an element that holds elements.

use std::io::Read;

use super::MatVariable;
use super::elements::{
    Budget, Cursor, Element, Fault, MI_COMPRESSED, MI_MATRIX, MI_UINT32, NODE_BYTES, Order,
    characters, numbers, text, u16_at,
};
use super::value::{MatArray, MatClass, MatSparse, MatStruct, MatValue, Numbers};

/// Deepest nesting of cells and structs that is read.
const MAX_DEPTH: usize = 64;

/// The byte order that the header gives.
pub(super) fn byte_order(head: &[u8]) -> Result<Order, Fault> {
    if head.len() < 128 {
        let found = format!(
            "a header of 128 bytes is needed, the file has {}",
            head.len()
        );
        return Err(Fault::Malformed(0, found));
    }
    let order = match &head[126..128] {
        b"IM" => Order::Little,
        b"MI" => Order::Big,
        _ => {
            // MAT 4 has no header: it starts with a small number of type digits and dimensions.
            let text = head[..20].iter().all(|b| (32..127).contains(b));
            return Err(if !text && head[..4].contains(&0) {
                Fault::Unsupported(
                    "a file without the version 5 header (MAT 4?)".into(),
                    Some("save it anew with `save -v7`"),
                )
            } else {
                Fault::Malformed(126, "no byte-order mark `IM` or `MI`".into())
            });
        }
    };
    let version = u16_at(&head[124..126], order);
    match version {
        0x0100 => Ok(order),
        0x0200 => Err(Fault::Unsupported(
            "version 7.3 (HDF5)".into(),
            Some("read it as HDF5"),
        )),
        other => Err(Fault::Unsupported(format!("version {other:#06x}"), None)),
    }
}

/// All variables of a file.
pub(super) fn file(bytes: &[u8], max_bytes: usize) -> Result<Vec<MatVariable>, Fault> {
    let order = byte_order(bytes)?;
    let mut budget = Budget(max_bytes);
    let mut top = Cursor {
        bytes,
        at: 128,
        order,
    };
    let mut variables = Vec::new();
    while top.at < bytes.len() {
        let element = top.element()?;
        let variable = match element.kind {
            MI_MATRIX => matrix(element.inner(order), &mut budget, 0)?,
            MI_COMPRESSED => {
                let whole = inflate(element, &mut budget)?;
                let mut inner = Cursor {
                    bytes: &whole,
                    at: 0,
                    order,
                };
                let element = inner.element()?;
                if element.kind != MI_MATRIX {
                    return Err(element.not_a("compressed array"));
                }
                matrix(element.inner(order), &mut budget, 0)?
            }
            _ => return Err(element.not_a("variable")),
        };
        // MATLAB appends its private workspace of objects as an array without a name.
        if !variable.name.is_empty() {
            variables.push(variable);
        }
    }
    Ok(variables)
}

fn inflate(element: Element<'_>, budget: &mut Budget) -> Result<Vec<u8>, Fault> {
    let mut whole = Vec::new();
    // One byte more than allowed tells a full budget from a spent one.
    let limit = budget.0 as u64 + 1;
    flate2::read::ZlibDecoder::new(element.bytes)
        .take(limit)
        .read_to_end(&mut whole)
        .map_err(|e| Fault::Malformed(element.offset, format!("damaged compressed array: {e}")))?;
    budget.spend(whole.len())?;
    Ok(whole)
}

/// A matrix from the elements it is made of.
fn matrix(mut c: Cursor<'_>, budget: &mut Budget, depth: usize) -> Result<MatVariable, Fault> {
    budget.spend(NODE_BYTES)?;
    if c.bytes.is_empty() {
        // How MATLAB writes an unset cell or field.
        return Ok(MatVariable {
            name: String::new(),
            value: MatValue::Numeric(MatArray {
                class: MatClass::Double,
                dims: vec![0, 0],
                values: Numbers::F64(vec![]),
                imaginary: None,
            }),
        });
    }
    if depth > MAX_DEPTH {
        let what = format!("nesting deeper than {MAX_DEPTH} levels");
        return Err(Fault::Unsupported(what, None));
    }
    let flags = c.element()?;
    if flags.kind != MI_UINT32 || flags.bytes.len() != 8 {
        return Err(flags.not_a("array's flags (8 bytes of uint32)"));
    }
    let bits = flags.inner(c.order).u32("flags")?;
    let (class, complex, logical) = (bits & 0xff, bits & 0x0800 != 0, bits & 0x0200 != 0);
    if class == 17 {
        // Opaque: no dimensions, then the variable's name, the system's name, the class.
        let name = text(c.element()?, c.order, budget)?;
        let _system = c.element()?;
        let class = text(c.element()?, c.order, budget)?;
        return Ok(MatVariable {
            name,
            value: MatValue::Opaque(class),
        });
    }
    let (dims, len) = dimensions(c.element()?, c.order, budget)?;
    let name = text(c.element()?, c.order, budget)?;
    let value = match class {
        1 => {
            let items = children(&mut c, len, budget, depth)?;
            MatValue::Cell { dims, items }
        }
        2 => MatValue::Struct(structure(&mut c, dims, len, budget, depth)?),
        3 => MatValue::Opaque(text(c.element()?, c.order, budget)?),
        4 => MatValue::Char(rows_of_text(c.element()?, c.order, &dims, len, budget)?),
        5 => MatValue::Sparse(sparse(&mut c, &dims, complex, budget)?),
        16 => MatValue::Opaque("function_handle".into()),
        _ => {
            let class = numeric_class(class, logical).ok_or_else(|| {
                Fault::Unsupported(format!("array class {class} (variable `{name}`)"), None)
            })?;
            let mut part = || -> Result<Numbers, Fault> {
                let element = c.element()?;
                let values = numbers(element, c.order, budget)?;
                if values.len() == len {
                    return Ok(values);
                }
                let reason = format!("{} numbers in an array of {len}", values.len());
                Err(Fault::Malformed(element.offset, reason))
            };
            MatValue::Numeric(MatArray {
                class,
                values: part()?,
                imaginary: if complex { Some(part()?) } else { None },
                dims,
            })
        }
    };
    Ok(MatVariable { name, value })
}

fn numeric_class(class: u32, logical: bool) -> Option<MatClass> {
    Some(match class {
        _ if logical && (6..=15).contains(&class) => MatClass::Logical,
        6 => MatClass::Double,
        7 => MatClass::Single,
        8 => MatClass::Int8,
        9 => MatClass::Uint8,
        10 => MatClass::Int16,
        11 => MatClass::Uint16,
        12 => MatClass::Int32,
        13 => MatClass::Uint32,
        14 => MatClass::Int64,
        15 => MatClass::Uint64,
        _ => return None,
    })
}

fn dimensions(
    element: Element<'_>,
    order: Order,
    budget: &mut Budget,
) -> Result<(Vec<usize>, usize), Fault> {
    let bad = |reason: &str| Fault::Malformed(element.offset, reason.into());
    let Numbers::I32(raw) = numbers(element, order, budget)? else {
        return Err(element.not_a("array's dimensions (int32)"));
    };
    if raw.len() < 2 {
        return Err(bad("an array of fewer than two dimensions"));
    }
    let dims: Vec<usize> = raw
        .iter()
        .map(|&d| usize::try_from(d).map_err(|_| bad("a negative dimension")))
        .collect::<Result<_, _>>()?;
    let len = dims
        .iter()
        .try_fold(1usize, |product, &d| product.checked_mul(d))
        .ok_or_else(|| bad("dimensions whose product overflows"))?;
    Ok((dims, len))
}

/// `count` matrices in a row. No more is set aside than the bytes at hand can hold (a tag each).
fn children(
    c: &mut Cursor<'_>,
    count: usize,
    budget: &mut Budget,
    depth: usize,
) -> Result<Vec<MatValue>, Fault> {
    if count > (c.bytes.len() - c.at) / 8 {
        let reason = format!("{count} elements announced where fewer can follow");
        return Err(Fault::Malformed(c.at, reason));
    }
    let mut items = Vec::new();
    for _ in 0..count {
        let element = c.element()?;
        if element.kind != MI_MATRIX {
            return Err(element.not_a("cell or field"));
        }
        items.push(matrix(element.inner(c.order), budget, depth + 1)?.value);
    }
    Ok(items)
}

fn structure(
    c: &mut Cursor<'_>,
    dims: Vec<usize>,
    len: usize,
    budget: &mut Budget,
    depth: usize,
) -> Result<MatStruct, Fault> {
    let element = c.element()?;
    let Numbers::I32(width) = numbers(element, c.order, budget)? else {
        return Err(element.not_a("length of field names (int32)"));
    };
    let width = width
        .first()
        .and_then(|&w| usize::try_from(w).ok())
        .unwrap_or(0);
    let names = c.element()?;
    budget.spend(names.bytes.len())?;
    let fields: Vec<String> = if names.bytes.is_empty() {
        vec![]
    } else if width == 0 || !names.bytes.len().is_multiple_of(width) {
        let reason = format!(
            "field names of {width} bytes in {} bytes",
            names.bytes.len()
        );
        return Err(Fault::Malformed(names.offset, reason));
    } else {
        let cut = |name: &[u8]| {
            let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
            String::from_utf8_lossy(&name[..end]).into_owned()
        };
        budget.spend(names.bytes.len() / width * NODE_BYTES)?;
        names.bytes.chunks_exact(width).map(cut).collect()
    };
    let count = len
        .checked_mul(fields.len())
        .ok_or_else(|| Fault::Malformed(names.offset, "a struct whose size overflows".into()))?;
    let values = children(c, count, budget, depth)?;
    Ok(MatStruct {
        dims,
        fields,
        values,
    })
}

fn sparse(
    c: &mut Cursor<'_>,
    dims: &[usize],
    complex: bool,
    budget: &mut Budget,
) -> Result<MatSparse, Fault> {
    let start = c.at;
    let bad = |reason: &str| Fault::Malformed(start, format!("sparse matrix: {reason}"));
    let &[n_rows, n_columns] = dims else {
        return Err(bad("more than two dimensions"));
    };
    let mut index = |what: &str| -> Result<Vec<usize>, Fault> {
        let Numbers::I32(raw) = numbers(c.element()?, c.order, budget)? else {
            return Err(bad(&format!("{what} not int32")));
        };
        raw.iter()
            .map(|&i| usize::try_from(i).map_err(|_| bad(&format!("negative {what}"))))
            .collect()
    };
    let mut rows = index("row")?;
    let col_starts = index("column start")?;
    let mut values = numbers(c.element()?, c.order, budget)?;
    let mut imaginary = match complex {
        true => Some(numbers(c.element()?, c.order, budget)?),
        false => None,
    };
    let filled = col_starts.last().copied().unwrap_or(0);
    if col_starts.len() != n_columns + 1
        || col_starts[0] != 0
        || col_starts.windows(2).any(|w| w[0] > w[1])
    {
        return Err(bad("column starts do not ascend from 0"));
    }
    let too_short = |v: &Numbers| v.len() < filled;
    if rows.len() < filled || too_short(&values) || imaginary.as_ref().is_some_and(too_short) {
        return Err(bad("fewer entries than the columns announce"));
    }
    // MATLAB may set aside more room than it fills.
    rows.truncate(filled);
    values.truncate(filled);
    if let Some(imaginary) = &mut imaginary {
        imaginary.truncate(filled);
    }
    if rows.iter().any(|&r| r >= n_rows) {
        return Err(bad("an entry beyond the last row"));
    }
    Ok(MatSparse {
        dims: [n_rows, n_columns],
        rows,
        col_starts,
        values,
        imaginary,
    })
}

/// The rows of a char array. Pages beyond the second dimension are appended to their row.
fn rows_of_text(
    element: Element<'_>,
    order: Order,
    dims: &[usize],
    len: usize,
    budget: &mut Budget,
) -> Result<Vec<String>, Fault> {
    let found = characters(element, order, budget)?;
    let n_rows = dims[0];
    if n_rows <= 1 {
        // A row outside the basic plane holds fewer characters than its two-byte units.
        return Ok(vec![found.into_iter().collect(); n_rows.min(1)]);
    }
    if found.len() != len {
        let reason = format!("{} characters in a char array of {len}", found.len());
        return Err(Fault::Malformed(element.offset, reason));
    }
    if len == 0 {
        return Ok(vec![]);
    }
    budget.spend(n_rows * NODE_BYTES)?;
    Ok((0..n_rows)
        .map(|r| found.iter().skip(r).step_by(n_rows).collect())
        .collect())
}
