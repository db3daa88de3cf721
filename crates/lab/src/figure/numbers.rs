//! Numbers in files: JSON knows neither NaN nor infinity, so there they are the texts `NaN`, `inf` and `-inf`.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that comes back as it was, from any format.
#[derive(Debug, Clone, Copy)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() || !serializer.is_human_readable() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(NumberOrText).map(Self)
        } else {
            f64::deserialize(deserializer).map(Self)
        }
    }
}

struct NumberOrText;

impl Visitor<'_> for NumberOrText {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number, `NaN`, `inf` or `-inf`")
    }
    fn visit_f64<E>(self, v: f64) -> Result<f64, E> {
        Ok(v)
    }
    fn visit_i64<E>(self, v: i64) -> Result<f64, E> {
        Ok(v as f64)
    }
    fn visit_u64<E>(self, v: u64) -> Result<f64, E> {
        Ok(v as f64)
    }
    fn visit_str<E: Error>(self, v: &str) -> Result<f64, E> {
        match v {
            "NaN" => Ok(f64::NAN),
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            other => Err(E::custom(format!("expected a number, found `{other}`"))),
        }
    }
}

/// One number.
pub(super) mod one {
    use super::{Deserialize, Deserializer, Number, Serialize, Serializer};

    pub(in crate::figure) fn serialize<S: Serializer>(v: &f64, s: S) -> Result<S::Ok, S::Error> {
        Number(*v).serialize(s)
    }
    pub(in crate::figure) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        Number::deserialize(d).map(|n| n.0)
    }
}

/// A list of numbers.
pub(super) mod list {
    use super::{Deserialize, Deserializer, Number, Serializer};

    pub(in crate::figure) fn serialize<S: Serializer>(v: &[f64], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(v.iter().map(|v| Number(*v)))
    }
    pub(in crate::figure) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<f64>, D::Error> {
        let numbers = Vec::<Number>::deserialize(d)?;
        Ok(numbers.into_iter().map(|n| n.0).collect())
    }
}

/// Rows of numbers.
pub(super) mod rows {
    use super::{Deserialize, Deserializer, Number, Serialize, Serializer};

    struct Row<'a>(&'a [f64]);

    impl Serialize for Row<'_> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            super::list::serialize(self.0, s)
        }
    }

    pub(in crate::figure) fn serialize<S: Serializer>(
        v: &[Vec<f64>],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(v.iter().map(|row| Row(row)))
    }
    pub(in crate::figure) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<Vec<f64>>, D::Error> {
        let rows = Vec::<Vec<Number>>::deserialize(d)?;
        let plain = |row: Vec<Number>| row.into_iter().map(|n| n.0).collect();
        Ok(rows.into_iter().map(plain).collect())
    }
}

/// A list of pairs.
pub(super) mod pairs {
    use super::{Deserialize, Deserializer, Number, Serializer};

    pub(in crate::figure) fn serialize<S: Serializer>(
        v: &[(f64, f64)],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(v.iter().map(|(a, b)| (Number(*a), Number(*b))))
    }
    pub(in crate::figure) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<(f64, f64)>, D::Error> {
        let pairs = Vec::<(Number, Number)>::deserialize(d)?;
        Ok(pairs.into_iter().map(|(a, b)| (a.0, b.0)).collect())
    }
}

/// Limits that may be left open.
pub(super) mod range {
    use super::{Deserialize, Deserializer, Number, Serialize, Serializer};

    pub(in crate::figure) fn serialize<S: Serializer>(
        v: &Option<(f64, f64)>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        v.map(|(a, b)| (Number(a), Number(b))).serialize(s)
    }
    pub(in crate::figure) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<(f64, f64)>, D::Error> {
        let pair = Option::<(Number, Number)>::deserialize(d)?;
        Ok(pair.map(|(a, b)| (a.0, b.0)))
    }
}
