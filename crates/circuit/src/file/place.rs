//! Where in a circuit's text a fault is.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Where in a circuit's text the value at a dotted path stands, or the nearest that there is.
#[must_use]
pub fn span_of(text: &str, field: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    in_table(table.get_ref(), field)
}

fn in_table(table: &DeTable<'_>, path: &str) -> Option<Range<usize>> {
    // A name may hold dots itself: the longest key that fits.
    let rest = |key: &str| -> Option<String> {
        let rest = path.strip_prefix(key)?;
        match rest.strip_prefix('.') {
            Some(rest) => Some(rest.to_owned()),
            None if rest.is_empty() => Some(String::new()),
            None => None,
        }
    };
    let fits = table.iter().filter_map(|(key, value)| {
        let rest = rest(key.get_ref())?;
        Some((key, value, rest))
    });
    let (key, value, rest) = fits.max_by_key(|(key, ..)| key.get_ref().len())?;
    let deeper = in_value(value.get_ref(), &rest);
    Some(deeper.unwrap_or_else(|| match value.get_ref() {
        // A whole table is shown by its name.
        DeValue::Table(_) => key.span(),
        _ => value.span(),
    }))
}

fn in_value(value: &DeValue<'_>, path: &str) -> Option<Range<usize>> {
    match value {
        DeValue::Table(table) if !path.is_empty() => in_table(table, path),
        DeValue::Array(items) if !path.is_empty() => {
            let (index, rest) = path.split_once('.').unwrap_or((path, ""));
            let item = items.get(index.parse::<usize>().ok()?)?;
            Some(in_value(item.get_ref(), rest).unwrap_or_else(|| item.span()))
        }
        _ => None,
    }
}
