//! Draws every kind of mark and layout: `cargo run -p chiasm-lab --example gallery -- FOLDER`.

mod figures;

use std::path::PathBuf;

use chiasm_lab::draw::{self, Theme};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "target/gallery".into()),
    );
    std::fs::create_dir_all(&folder)?;
    for figure in figures::all() {
        let at = |ending: &str| folder.join(format!("{}{ending}", figure.id));
        std::fs::write(at(".svg"), draw::svg(&figure, Theme::Light))?;
        std::fs::write(at("-dark.svg"), draw::svg(&figure, Theme::Dark))?;
        std::fs::write(
            at("-narrow.svg"),
            draw::svg_at(&figure, Theme::Light, 350.0),
        )?;
        std::fs::write(at(".png"), draw::png(&figure, 2.0)?)?;
        std::fs::write(at(".csv"), draw::data_csv(&figure))?;
    }
    Ok(())
}
