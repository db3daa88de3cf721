//! The nearest name, for errors that say what to fix.

/// The candidate closest to `given` by edit distance, if it is close enough to be a slip of the keys: at most a third
/// of the longer name's length (and always where only case or `-`/`_` differ).
#[must_use]
pub fn nearest<'a, I>(given: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    let fold = |s: &str| s.to_lowercase().replace('_', "-");
    let given = fold(given);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&given, &fold(c)), c))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, c)| distance <= given.len().max(c.len()).div_ceil(3))
        .map(|(_, c)| c)
}

/// "did you mean `x`?", or the list of what exists where nothing is near.
#[must_use]
pub fn suggest(given: &str, candidates: &[&str]) -> String {
    match nearest(given, candidates.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are: {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_mended_and_nonsense_is_not() {
        let names = ["dynamic-connectome", "trsa"];
        assert_eq!(
            nearest("dynamic_conectome", names),
            Some("dynamic-connectome")
        );
        assert_eq!(nearest("TRSA", names), Some("trsa"));
        assert_eq!(nearest("zzzzzzz", names), None);
        assert_eq!(
            suggest("zzzzzzz", &names),
            "known are: dynamic-connectome, trsa"
        );
    }
}
