//! Finds the nearest valid name for a wrong one.

/// The name nearest to `wrong`, where one is near enough to be what was meant: by the Damerau-Levenshtein
/// distance, at most a third of its length, or by a common beginning of at least three letters. For a name of one
/// letter there is none, and of two only one that begins alike.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = wrong.chars().count().max(3).div_ceil(3);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(_, name)| match wrong.chars().count() {
            0 | 1 => wrong.eq_ignore_ascii_case(name),
            2 => wrong.chars().next() == name.chars().next(),
            _ => true,
        })
        .filter(|(distance, name)| {
            *distance <= allowed
                || (wrong.len() >= 3 && (name.starts_with(wrong) || wrong.starts_with(name) && name.len() >= 3))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let verbs = ["acquire", "release", "send", "recv"];
        assert_eq!(nearest("aquire", verbs), Some("acquire"));
        assert_eq!(nearest("sned", verbs), Some("send"));
        assert_eq!(nearest("rel", verbs), Some("release"));
        assert_eq!(nearest("banana", verbs), None);
        assert_eq!(nearest("b", ["a", "q"]), None);
        assert_eq!((nearest("pp", ["q", "p"]), nearest("pp", ["q"])), (Some("p"), None));
    }
}
