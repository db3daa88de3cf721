//! A look at the Thrift structures of a Parquet file before its parser sees them.
//!
//! The parser skips what it does not know, and takes a list's word for its length: a few damaged bytes that claim two
//! thousand million elements of no size keep it busy for seconds. So each structure is walked once here, and one that
//! claims more elements than it has bytes is refused.

/// Structures within structures, far more than Parquet has.
const MAX_DEPTH: u8 = 32;

/// The compact protocol's wire types.
mod wire {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const UUID: u8 = 13;
}

/// What is left of a structure's bytes.
struct Walk<'a>(&'a [u8]);

/// Walks the structure at the start of `bytes`. Returns its length in bytes and, where it has one, the value of its 32-bit
/// field `wanted`.
pub(super) fn structure(bytes: &[u8], wanted: i16) -> Result<(usize, Option<i64>), String> {
    let mut walk = Walk(bytes);
    let found = walk.fields(wanted, MAX_DEPTH)?;
    Ok((bytes.len() - walk.0.len(), found))
}

impl Walk<'_> {
    fn fields(&mut self, wanted: i16, depth: u8) -> Result<Option<i64>, String> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("its header nests deeper than {MAX_DEPTH}"));
        };
        let (mut id, mut found) = (0i16, None);
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(found);
            }
            id = match head >> 4 {
                0 => zigzag(self.varint()?) as i16,
                delta => id.wrapping_add(i16::from(delta)),
            };
            match head & 0xf {
                // The value stands in the type.
                wire::TRUE | wire::FALSE => {}
                wire::I32 if id == wanted => found = Some(zigzag(self.varint()?)),
                kind => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u8) -> Result<(), String> {
        match kind {
            wire::BYTE => self.skip(1),
            wire::I16 | wire::I32 | wire::I64 => self.varint().map(drop),
            wire::DOUBLE => self.skip(8),
            wire::UUID => self.skip(16),
            wire::BINARY => {
                let length = self.varint()?;
                self.skip(length)
            }
            wire::STRUCT => self.fields(i16::MIN, depth).map(drop),
            wire::LIST | wire::SET => {
                let head = self.byte()?;
                let n = match head >> 4 {
                    0xf => self.varint()?,
                    n => u64::from(n),
                };
                self.elements(n, &[head & 0xf], depth)
            }
            wire::MAP => match self.varint()? {
                0 => Ok(()),
                n => {
                    let kinds = self.byte()?;
                    self.elements(n, &[kinds >> 4, kinds & 0xf], depth)
                }
            },
            other => Err(format!(
                "its header holds a value of the unknown type {other}"
            )),
        }
    }

    /// `n` elements, each of one value of every kind.
    fn elements(&mut self, n: u64, kinds: &[u8], depth: u8) -> Result<(), String> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("its header nests deeper than {MAX_DEPTH}"));
        };
        if n > self.0.len() as u64 {
            let left = self.0.len();
            return Err(format!("its header claims {n} elements in {left} bytes"));
        }
        for _ in 0..n {
            for &kind in kinds {
                // Lists of truth values, of which readers disagree whether each takes a byte, do not occur in the
                // headers of Parquet: they end here as an unknown type.
                self.value(kind, depth)?;
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, String> {
        let (&first, rest) = self.0.split_first().ok_or_else(ended)?;
        self.0 = rest;
        Ok(first)
    }

    fn skip(&mut self, n: u64) -> Result<(), String> {
        let n = usize::try_from(n).map_err(|_| ended())?;
        self.0 = self.0.get(n..).ok_or_else(ended)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("its header holds a number of more than 64 bits".into())
    }
}

fn ended() -> String {
    "its header ends in the middle of a value".into()
}

fn zigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_every_kind_and_finds_the_wanted_field() {
        let bytes = [
            0x11, // 1: true
            0x28, 2, b'h', b'i', // 3: binary
            0x15, 0x0d, // 4: i32, -7
            0x19, 0x26, 2, 4, // 5: list of two i64
            0x1b, 1, 0x85, 1, b'k', 2, // 6: map of one binary to i32
            0x1c, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 7: struct of one double
            0x03, 40, 9, // 20: byte, its number written out
            0, 99, // the end, and what is not ours
        ];
        assert_eq!(structure(&bytes, 4), Ok((bytes.len() - 1, Some(-7))));
        assert_eq!(structure(&bytes, 5), Ok((bytes.len() - 1, None)));
        for short in 0..bytes.len() - 1 {
            assert!(structure(&bytes[..short], 4).is_err(), "{short} bytes");
        }
    }

    #[test]
    fn refuses_claims_that_cannot_be_true() {
        let many = [0x19, 0xf6, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        let said = structure(&many, 0).unwrap_err();
        assert!(
            said.contains("claims 2147483647 elements in 1 bytes"),
            "{said}"
        );
        assert!(
            structure(&[0x19, 0x31, 1, 1, 1, 0], 0).is_err(),
            "truth values"
        );
        assert!(structure(&[0x1c; 1000], 0).unwrap_err().contains("nests"));
        assert!(structure(&[0x19; 1000], 0).unwrap_err().contains("nests"));
        assert!(structure(&[0xff; 20], 0).is_err());
    }
}
