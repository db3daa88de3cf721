//! Text: its width in the bundled font, escaping, shortening.

use std::sync::LazyLock;

use resvg::usvg::fontdb;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Fonts a browser or an editor takes for a figure, first those that the layout was measured for or that are narrower.
pub(super) const FAMILIES: &str =
    "Helvetica Neue, Helvetica, Arial, Liberation Sans, Noto Sans, sans-serif";

/// The fonts that figures are rendered with: bundled, so that the same figure has the same pixels on every machine, with
/// or without fonts. DejaVu Sans only fills in signs that Noto Sans lacks.
pub(super) static FONTS: LazyLock<std::sync::Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    std::sync::Arc::new(fonts)
});

struct Widths {
    font: FontRef<'static>,
    units_per_em: f64,
}

impl Widths {
    fn of(bytes: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(bytes).ok()?;
        let units_per_em = f64::from(
            font.metrics(Size::unscaled(), LocationRef::default())
                .units_per_em,
        );
        Some(Self { font, units_per_em })
    }
}

static REGULAR: LazyLock<Option<Widths>> = LazyLock::new(|| Widths::of(notosans::REGULAR_TTF));
static BOLD: LazyLock<Option<Widths>> = LazyLock::new(|| Widths::of(notosans::BOLD_TTF));

/// Width of one line of text at this size. Signs that the font lacks count as wide.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let face = if bold { &*BOLD } else { &*REGULAR };
    let Some(Widths { font, units_per_em }) = face else {
        return text.chars().count() as f64 * size * 0.6;
    };
    let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
    let chars = font.charmap();
    let units: f64 = text
        .chars()
        .map(|c| {
            chars
                .map(c)
                .and_then(|glyph| metrics.advance_width(glyph))
                .map_or(units_per_em * 0.65, f64::from)
        })
        .sum();
    units / units_per_em * size
}

/// The text, cut with an ellipsis where it is wider than `room`.
pub(super) fn shorten(text: &str, size: f64, bold: bool, room: f64) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let cut = kept.iter().collect::<String>();
        let cut = format!("{}…", cut.trim_end());
        if width(&cut, size, bold) <= room {
            return cut;
        }
    }
    String::new()
}

/// The text in at most `lines` lines no wider than `room`, broken at spaces; the last is shortened if need be.
pub(super) fn wrap(text: &str, size: f64, room: f64, lines: usize) -> Vec<String> {
    let mut broken: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match broken.last_mut() {
            Some(line) if broken_fits(line, word, size, room) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => broken.push(word.to_owned()),
        }
    }
    if broken.len() > lines {
        let rest = broken.split_off(lines.max(1) - 1).join(" ");
        broken.push(rest);
    }
    for line in &mut broken {
        *line = shorten(line, size, false, room);
    }
    broken
}

fn broken_fits(line: &str, word: &str, size: f64, room: f64) -> bool {
    width(line, size, false) + width(" ", size, false) + width(word, size, false) <= room
}

/// The text as XML character data or attribute value; what XML 1.0 cannot hold is left out.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => safe.push(c),
        }
    }
    safe
}

/// Letters, digits and hyphens only: what an XML id may be made of.
pub(super) fn slug(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_fonts_load_and_measure() {
        assert!(REGULAR.is_some() && BOLD.is_some());
        assert_eq!(FONTS.len(), 3);
        let (narrow, wide) = (width("iii", 10.0, false), width("WWW", 10.0, false));
        assert!(narrow > 5.0 && wide > 2.0 * narrow);
        assert!(width("label", 10.0, true) > width("label", 10.0, false));
    }

    #[test]
    fn long_text_is_cut_or_broken_and_stays_in_its_room() {
        let text = "fraction of the variance that is explained";
        let cut = shorten(text, 10.0, false, 80.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0, false) <= 80.0);
        let lines = wrap(text, 10.0, 100.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|l| width(l, 10.0, false) <= 100.0));
        assert_eq!(shorten("wide", 10.0, false, 1.0), "");
    }

    #[test]
    fn markup_is_escaped_and_control_signs_are_dropped() {
        assert_eq!(
            escape("a<b & \"c\"\u{1}\n'"),
            "a&lt;b &amp; &quot;c&quot; &#39;"
        );
        assert_eq!(slug("a b/é"), "a-b--");
    }
}
