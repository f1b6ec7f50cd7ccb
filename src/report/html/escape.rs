//! Text of scenarios within the page: it can neither become markup nor hide or reorder what stands beside it.

use std::fmt::{self, Write};

use crate::text::{OBEYED, UNSEEN, is_in};

/// Text for an element or for an attribute in double quotes.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\t' => f.write_char(c)?,
                // Control characters have pictures of their own in Unicode.
                '\u{0}'..='\u{1f}' => f.write_char(char::from_u32(0x2400 + c as u32).unwrap_or('?'))?,
                _ if hidden(c) => write!(f, "\\u{{{:x}}}", c as u32)?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether a character is not seen, or changes the direction of what stands beside it.
fn hidden(c: char) -> bool {
    c.is_control() || is_in(c, &OBEYED) || is_in(c, &UNSEEN)
}

/// The same as constants of the page's script: what a reader of a line of JSON would obey, and what the page does not
/// show as it is.
pub(super) fn patterns() -> String {
    let range = |(first, last): &(char, char)| format!("\\u{:04x}-\\u{:04x}", u32::from(*first), u32::from(*last));
    let all = |ranges: &[(char, char)]| ranges.iter().map(range).collect::<String>();
    let (obeyed, unseen) = (all(&OBEYED), all(&UNSEEN));
    format!("const OBEYED = /[\\u007f{obeyed}]/g;\nconst HIDDEN = /[\\u0000-\\u001f\\u007f{obeyed}{unseen}]/g;\n")
}

/// JSON for a script element: no `<` is left that could end it.
pub(super) fn script(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 64);
    for c in json.chars() {
        match c {
            // Outside strings JSON has none of these.
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            _ if c >= '\u{7f}' && hidden(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_neither_markup_nor_hidden() {
        let text = "</script><b a=\"x\" b='y'>&amp;\u{1b}[0m\u{202e}\u{0}\n\u{7f}";
        assert_eq!(
            Text(text).to_string(),
            "&lt;/script&gt;&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;␛[0m\\u{202e}␀␊\\u{7f}"
        );
        assert_eq!(Text("执行任务 é").to_string(), "执行任务 é");
    }

    #[test]
    fn json_in_a_script_stays_the_same_json() {
        let value = serde_json::json!({ "</script>": "<!-- & \u{2028}\u{202e} 执" });
        let text = script(&value.to_string());
        assert!(!text.contains('<') && !text.contains('\u{202e}'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }
}
