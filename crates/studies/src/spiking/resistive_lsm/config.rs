//! Settings of the study.

use chiasm_analysis::contrastive::Contrastive;
use chiasm_analysis::readout::{Optimizer, Softmax};
use chiasm_circuit::frozen;
use chiasm_circuit::memristor::Device;
use chiasm_core::SettingError;
use chiasm_data::generate::Saccades;
use chiasm_data::sound::MelSpikes;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::images::Images;

/// Which sounds the study is run on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sounds {
    /// Spoken digits (Free Spoken Digit Dataset), where they are found on this machine; made-up voices where not.
    #[default]
    Fsdd,
    /// Words of made-up voices.
    Voiced,
}

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which images become events (paper: N-MNIST, which is not at hand).
    pub images: Images,
    /// Which sounds become events (paper: N-TIDIGITS, which is not at hand).
    pub sounds: Sounds,
    /// Takes of each made-up word by each voice, the first five to test on, where voices stand in (chosen: 50 of 6 voices).
    pub voiced_takes: u32,
    /// Images that the readouts learn from (card: 10,000; paper: 60,000).
    pub n_train: usize,
    /// Images to test on (card: 2,000; paper: 10,000).
    pub n_test: usize,
    /// How the gaze jumps over an image.
    pub saccades: Saccades,
    /// How sounds become events.
    pub mel: MelSpikes,
    /// The reservoir of images.
    pub vision: frozen::Config,
    /// The reservoir of sounds, before its gain is searched for.
    pub audio: frozen::Config,
    /// Spikes for each neuron and step that the gain of the sounds' reservoir is searched for (chosen).
    pub audio_rate: f64,
    /// Neurons of a larger reservoir of images (card: 600).
    pub large: usize,
    /// Recurrent gain that is too strong, in thresholds (card: 0.3).
    pub strong: f64,
    /// The chip, before noise.
    pub device: Device,
    /// Noise at a read of the chips that are compared with the quiet one, ascending (card: 0 to 0.1, with 8 bits at 0.05).
    pub read_noise: Vec<f64>,
    /// Bits of the converter of the noisy chips (card: 8).
    pub adc_bits: u32,
    /// Stuck cells of further chips, ascending, as a fraction.
    pub stuck: Vec<f64>,
    /// The readout (chosen: softmax regression on standardized counts; paper: Adam and AdamW for 100 and 600 passes).
    pub readout: Softmax,
    /// The readout of sounds.
    pub audio_readout: Softmax,
    /// How projections learn from pairs.
    pub contrastive: Contrastive,
    /// Further temperatures of the loss, for comparison.
    pub temperatures: Vec<f64>,
    /// Images of each class that sounds are looked up among (paper: 100).
    pub bank: usize,
    /// Pairs of the digits 1 to 9 that are held out of training in turn, at random; 36 are all.
    pub held_out: usize,
    /// Images that make a prototype in the baseline (chosen: 5).
    pub support: usize,
}

impl Default for Config {
    fn default() -> Self {
        let audio = frozen::Config {
            decay: 0.97,
            threshold: 5.3,
            ..frozen::Config::default()
        };
        Self {
            images: Images::Mnist,
            sounds: Sounds::Fsdd,
            voiced_takes: 50,
            n_train: 10_000,
            n_test: 2000,
            saccades: Saccades::default(),
            mel: MelSpikes::default(),
            vision: frozen::Config::default(),
            audio,
            audio_rate: 0.18,
            large: 600,
            strong: 0.3,
            device: Device::default(),
            read_noise: vec![0.02, 0.05, 0.1],
            adc_bits: 8,
            stuck: vec![0.05, 0.2],
            readout: Softmax::default(),
            audio_readout: Softmax {
                optimizer: Optimizer::Adam { rate: 1e-3 },
                batch: 50,
                passes: 60,
                l2: 1e-3,
                soft_targets: false,
            },
            contrastive: Contrastive {
                temperature: 0.1,
                passes: 40,
                ..Contrastive::default()
            },
            temperatures: vec![0.03, 0.3, 1.0],
            bank: 100,
            held_out: 12,
            support: 5,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                n_train: 60_000,
                n_test: 10_000,
                read_noise: vec![0.01, 0.02, 0.05, 0.1],
                stuck: vec![0.01, 0.05, 0.1, 0.2],
                contrastive: Contrastive {
                    passes: 100,
                    ..Self::default().contrastive
                },
                temperatures: vec![0.01, 0.03, 0.3, 1.0, 10.0],
                held_out: 36,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        let small = |config: frozen::Config| frozen::Config {
            n_neurons: 40,
            ..config
        };
        let default = Self::default();
        let few = |readout: Softmax| Softmax {
            passes: 5,
            ..readout
        };
        Self {
            images: Images::Drawn,
            sounds: Sounds::Voiced,
            voiced_takes: 8,
            n_train: 200,
            n_test: 100,
            vision: small(default.vision),
            audio: small(default.audio),
            large: 60,
            read_noise: vec![0.05],
            stuck: vec![0.2],
            readout: few(default.readout),
            audio_readout: few(default.audio_readout),
            contrastive: Contrastive {
                dimension: 16,
                passes: 3,
                ..default.contrastive
            },
            temperatures: vec![1.0],
            bank: 5,
            held_out: 2,
            support: 2,
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        for (field, n, least, most) in [
            ("n_train", self.n_train, 20, 60_000),
            ("n_test", self.n_test, 20, 10_000),
            ("large", self.large, 1, 8192),
            ("bank", self.bank, 2, 800),
            ("held_out", self.held_out, 2, 36),
            ("support", self.support, 1, 1000),
        ] {
            let expected = format!("{least} to {most}");
            SettingError::check((least..=most).contains(&n), field, &expected, n)?;
        }
        let n = self.voiced_takes;
        let holds = (7..=1000).contains(&n);
        SettingError::check(holds, "voiced_takes", "7 to 1000, five to test on", n)?;
        let rate = self.audio_rate;
        let holds = rate > 0.0 && rate <= 0.5;
        SettingError::check(holds, "audio_rate", "above 0, at most 0.5", rate)?;
        let holds = (0.0..=1e6).contains(&self.strong);
        SettingError::check(holds, "strong", "0 to 1e6 thresholds", self.strong)?;
        let ascending = |of: &[f64]| of.windows(2).all(|w| w[0] < w[1]);
        let holds = self.read_noise.contains(&0.05)
            && ascending(&self.read_noise)
            && self.read_noise.iter().all(|x| *x > 0.0 && *x <= 1.0);
        let found = format!("{:?}", self.read_noise);
        let expected = "ascending values above 0, at most 1, 0.05 among them";
        SettingError::check(holds, "read_noise", expected, found)?;
        let holds = ascending(&self.stuck) && self.stuck.iter().all(|x| *x > 0.0 && *x < 1.0);
        let found = format!("{:?}", self.stuck);
        SettingError::check(holds, "stuck", "ascending values above 0, below 1", found)?;
        let quiet = self.device.read_noise == 0.0 && self.device.adc_bits == 0;
        let found = format!("{:?}", self.device);
        SettingError::check(quiet, "device", "a chip without noise and converter", found)?;
        let bits = self.adc_bits;
        SettingError::check((1..=24).contains(&bits), "adc_bits", "1 to 24", bits)?;
        let at = |field: &str, e: SettingError| SettingError {
            field: format!("{field}.{}", e.field),
            ..e
        };
        self.saccades.validate().map_err(|e| at("saccades", e))?;
        self.mel.validate().map_err(|e| at("mel", e))?;
        self.vision.validate().map_err(|e| at("vision", e))?;
        self.audio.validate().map_err(|e| at("audio", e))?;
        self.device.validate().map_err(|e| at("device", e))?;
        self.readout.validate().map_err(|e| at("readout", e))?;
        let readout = self.audio_readout.validate();
        readout.map_err(|e| at("audio_readout", e))?;
        let contrastive = |c: Contrastive| c.validate().map_err(|e| at("contrastive", e));
        contrastive(self.contrastive)?;
        for temperature in &self.temperatures {
            contrastive(Contrastive {
                temperature: *temperature,
                ..self.contrastive
            })?;
        }
        Ok(())
    }
}
