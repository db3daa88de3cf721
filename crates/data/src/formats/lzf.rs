//! The LZF filter of h5py (number 32000), which the HDF5 engine does not bring along.
//!
//! The stream is a row of commands. A control byte below 32 is a literal run of one more than its value. Otherwise its
//! top three bits are a copy's length less 2 (7: one more byte follows, to be added), its low five bits and the next
//! byte the distance less 1.

/// Decodes `data`, whose decoded length must not exceed `limit`. `None` if the stream is damaged.
pub(super) fn decode(data: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    let mut bytes = data.iter().copied();
    while let Some(control) = bytes.next() {
        let control = usize::from(control);
        if control < 32 {
            for _ in 0..=control {
                out.push(bytes.next()?);
            }
        } else {
            let mut length = control >> 5;
            if length == 7 {
                length += usize::from(bytes.next()?);
            }
            let distance = ((control & 31) << 8 | usize::from(bytes.next()?)) + 1;
            let start = out.len().checked_sub(distance)?;
            // The copy may overlap what it writes, so it goes byte by byte.
            for i in start..start + length + 2 {
                out.push(out[i]);
            }
        }
        if out.len() > limit {
            return None;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn literals_and_overlapping_copies_are_decoded() {
        // "ab" as literals, then 6 bytes from 2 back.
        let stream = [1, b'a', b'b', 4 << 5, 1];
        assert_eq!(decode(&stream, 64).as_deref(), Some(&b"abababab"[..]));
    }

    #[test]
    fn damage_is_refused() {
        assert_eq!(decode(&[5, b'a'], 64), None, "cut short");
        assert_eq!(
            decode(&[1 << 5, 0], 64),
            None,
            "a copy from before the start"
        );
        assert_eq!(decode(&[0, b'a', 7 << 5, 255, 0], 16), None, "too long");
    }
}
