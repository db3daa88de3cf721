//! The pen: writes SVG elements with colors that hold by themselves and, on a page, follow the page.

use std::fmt::Write as _;

use super::Theme;
use super::palette::{FAINT, INK, MUTED, PAPER, SERIES, SPANS, Tone};
use super::text::{FAMILIES, escape};

/// What a stroke or an area is for; the theme decides its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Muted,
    Faint,
    Paper,
    Series(usize),
    /// Beyond the colors of spans, those of series.
    Span(usize),
}

impl Ink {
    fn tone(self) -> Tone {
        match self {
            Self::Text => INK,
            Self::Muted => MUTED,
            Self::Faint => FAINT,
            Self::Paper => PAPER,
            Self::Series(i) => SERIES[i % SERIES.len()],
            Self::Span(i) if i < SPANS.len() => SPANS[i],
            Self::Span(i) => Self::Series(i - SPANS.len()).tone(),
        }
    }

    fn class(self) -> String {
        match self {
            Self::Text => "t".into(),
            Self::Muted => "m".into(),
            Self::Faint => "n".into(),
            Self::Paper => "p".into(),
            Self::Series(i) => (i % SERIES.len()).to_string(),
            Self::Span(i) if i < SPANS.len() => format!("s{i}"),
            Self::Span(i) => Self::Series(i - SPANS.len()).class(),
        }
    }
}

/// Where text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text.
pub(super) struct Text<'a> {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: &'a str,
    pub(super) size: f64,
    pub(super) anchor: Anchor,
    pub(super) ink: Ink,
    pub(super) bold: bool,
    /// Degrees, clockwise, around its point.
    pub(super) turn: f64,
}

impl<'a> Text<'a> {
    pub(super) fn new(x: f64, y: f64, text: &'a str, size: f64) -> Self {
        Self {
            x,
            y,
            text,
            size,
            anchor: Anchor::Middle,
            ink: Ink::Text,
            bold: false,
            turn: 0.0,
        }
    }

    pub(super) fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(super) fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn turn(self, turn: f64) -> Self {
        Self { turn, ..self }
    }
}

/// Collects the elements of one figure.
pub(super) struct Pen {
    pub(super) out: String,
    theme: Theme,
    /// Start of every id, so that several figures can stand on one page.
    prefix: String,
    ids: usize,
}

impl Pen {
    pub(super) fn new(theme: Theme, prefix: String) -> Self {
        Self {
            out: String::new(),
            theme,
            prefix,
            ids: 0,
        }
    }

    /// A fresh id.
    pub(super) fn id(&mut self) -> String {
        self.ids += 1;
        format!("{}-{}", self.prefix, self.ids)
    }

    /// Attributes that fill and stroke with these colors.
    pub(super) fn paint(&self, fill: Option<Ink>, stroke: Option<Ink>) -> String {
        let mut classes = vec![];
        let mut attributes = String::new();
        for (name, key, ink) in [("fill", "f", fill), ("stroke", "k", stroke)] {
            let Some(ink) = ink else {
                if name == "fill" {
                    attributes.push_str(" fill=\"none\"");
                }
                continue;
            };
            let color = match self.theme {
                Theme::Dark => ink.tone().dark,
                Theme::Light | Theme::Page => ink.tone().light,
            };
            let _ = write!(attributes, " {name}=\"#{color:06x}\"");
            classes.push(format!("{key}{}", ink.class()));
        }
        if self.theme == Theme::Page && !classes.is_empty() {
            format!(" class=\"{}\"{attributes}", classes.join(" "))
        } else {
            attributes
        }
    }

    pub(super) fn raw(&mut self, element: &str) {
        self.out.push_str(element);
        self.out.push('\n');
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, more: &str) {
        let paint = self.paint(None, Some(ink));
        let (x1, y1, x2, y2) = (num(from.0), num(from.1), num(to.0), num(to.1));
        self.raw(&format!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"{paint}{more}/>"
        ));
    }

    pub(super) fn path(&mut self, d: &str, fill: Option<Ink>, stroke: Option<Ink>, more: &str) {
        if !d.is_empty() {
            let paint = self.paint(fill, stroke);
            self.raw(&format!("<path d=\"{d}\"{paint}{more}/>"));
        }
    }

    pub(super) fn text(&mut self, text: &Text) {
        if text.text.is_empty() {
            return;
        }
        let paint = self.paint(Some(text.ink), None);
        let (x, y) = (num(text.x), num(text.y));
        let anchor = match text.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let bold = if text.bold {
            " font-weight=\"700\""
        } else {
            ""
        };
        let turn = if text.turn == 0.0 {
            String::new()
        } else {
            format!(" transform=\"rotate({} {x} {y})\"", num(text.turn))
        };
        let (size, words) = (num(text.size), escape(text.text));
        self.raw(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{bold}{turn}{paint}>{words}</text>"
        ));
    }

    /// The whole SVG document around what was drawn.
    pub(super) fn finish(self, width: f64, height: f64, title: &str, caption: &str) -> String {
        let (w, h) = (num(width), num(height));
        let (title, caption) = (escape(title), escape(caption));
        let (class, style, paper) = match self.theme {
            Theme::Page => (
                " class=\"chiasm-figure\"",
                format!("<style>{}</style>\n", style_sheet()),
                String::new(),
            ),
            Theme::Light | Theme::Dark => (
                "",
                String::new(),
                format!(
                    "<rect width=\"{w}\" height=\"{h}\"{}/>\n",
                    self.paint(Some(Ink::Paper), None)
                ),
            ),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"{class} viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" \
             role=\"img\" aria-label=\"{title}\" font-family=\"{FAMILIES}\">\n\
             <desc>{title}. {caption}</desc>\n{style}{paper}{}</svg>\n",
            self.out
        )
    }
}

/// Rules that let the drawing follow the color scheme of the page it stands on. Readers that do not know them keep the
/// colors written on the elements.
fn style_sheet() -> String {
    let mut inks = vec![Ink::Text, Ink::Muted, Ink::Faint, Ink::Paper];
    inks.extend((0..SERIES.len()).map(Ink::Series));
    inks.extend((0..SPANS.len()).map(Ink::Span));
    let mut rules = String::new();
    for ink in inks {
        let Tone { light, dark } = ink.tone();
        let (class, color) = (ink.class(), format!("light-dark(#{light:06x},#{dark:06x})"));
        let _ = write!(
            rules,
            ".chiasm-figure .f{class}{{fill:{color}}}.chiasm-figure .k{class}{{stroke:{color}}}"
        );
    }
    rules
}

/// A coordinate: two decimals at most.
pub(super) fn num(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}
