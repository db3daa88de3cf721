//! Settings of the study and of the method on own images.

use chiasm_circuit::place;
use chiasm_core::SettingError;
use chiasm_data::generate::Route;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an ensemble is trained and asked, whatever the images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// The modules and their training.
    pub module: place::Config,
    /// Places at the beginning of the route on whose queries the threshold of hyperactivity is chosen; whole modules
    /// (chosen: 25; paper: 600 of 3,300).
    pub calibration_places: usize,
    /// Thresholds among which it is chosen, in reference images, ascending; 0 silences nobody (code: 0, 5, 10, 20, 40 and
    /// on to 200).
    pub thresholds: Vec<u32>,
    /// Times each query is shown, with spikes of its own; scores are means over them (chosen: 4).
    pub repeats: usize,
    /// Whether a single module is trained on all test places for comparison.
    pub one_module: bool,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            module: place::Config {
                n_e: 100,
                epochs: 16,
                dt_ms: 0.25,
                ..place::Config::default()
            },
            calibration_places: 25,
            thresholds: [0, 5, 10]
                .into_iter()
                .chain((20..=200).step_by(20))
                .collect(),
            repeats: 4,
            one_module: true,
        }
    }
}

impl Experiment {
    fn validate(&self) -> Result<(), SettingError> {
        self.module.validate().map_err(|e| SettingError {
            field: format!("experiment.module.{}", e.field),
            ..e
        })?;
        let (n, per) = (self.calibration_places, self.module.places_per_module);
        let expected = format!("whole modules of {per} places, one at least");
        let holds = n > 0 && n.is_multiple_of(per);
        SettingError::check(holds, "experiment.calibration_places", &expected, n)?;
        let t = &self.thresholds;
        let holds = t.first() == Some(&0) && t.len() < 1000 && t.windows(2).all(|w| w[0] < w[1]);
        let expected = "ascending numbers of images, from 0 on";
        SettingError::check(holds, "experiment.thresholds", expected, format!("{t:?}"))?;
        let n = self.repeats;
        SettingError::check(
            (1..=1000).contains(&n),
            "experiment.repeats",
            "1 to 1000",
            n,
        )
    }
}

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The route: its last traverse is the query.
    pub route: RouteSettings,
    /// The ensemble.
    pub experiment: Experiment,
}

/// The generated route. The default has 125 places, those of the calibration among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RouteSettings(pub Route);

impl Default for RouteSettings {
    fn default() -> Self {
        Self(Route {
            n_places: 125,
            ..Route::default()
        })
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                route: RouteSettings(Route {
                    n_places: 3300,
                    ..Route::default()
                }),
                experiment: Experiment {
                    module: place::Config::default(),
                    calibration_places: 600,
                    repeats: 1,
                    one_module: false,
                    ..Experiment::default()
                },
            },
        }
    }

    fn smoke() -> Self {
        let mut new = Self::default();
        new.route.0.n_places = 12;
        let experiment = &mut new.experiment;
        experiment.module.n_e = 24;
        experiment.module.epochs = 2;
        experiment.module.places_per_module = 4;
        experiment.module.dt_ms = 0.5;
        experiment.module.label_presentations = 8;
        experiment.calibration_places = 4;
        experiment.repeats = 1;
        new
    }

    fn validate(&self) -> Result<(), SettingError> {
        let route = &self.route.0;
        route.validate().map_err(|e| SettingError {
            field: format!("route.{}", e.field),
            ..e
        })?;
        let n = route.gammas.len();
        SettingError::check(
            n >= 2,
            "route.gammas",
            "a reference and a query at least",
            n,
        )?;
        self.experiment.validate()?;
        let experiment = &self.experiment;
        let least = experiment.calibration_places + experiment.module.places_per_module;
        let expected = format!("at least {least}: the calibration's and one module's");
        let n = route.n_places;
        SettingError::check(n >= least, "route.n_places", &expected, n)
    }
}

/// Settings of the method on own images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// Rows to which images are brought (code: 28).
    pub rows: usize,
    /// Columns to which they are brought (code: 28).
    pub columns: usize,
    /// The ensemble.
    pub experiment: Experiment,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            rows: 28,
            columns: 28,
            experiment: Experiment::default(),
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        for (field, n) in [("rows", self.rows), ("columns", self.columns)] {
            SettingError::check((4..=256).contains(&n), field, "4 to 256 pixels", n)?;
        }
        self.experiment.validate()
    }
}
