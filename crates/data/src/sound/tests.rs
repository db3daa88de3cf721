use super::*;
use crate::datasets::test_data;
use crate::generate::voiced_digits;
use chiasm_core::Streams;

fn wav(spec: hound::WavSpec, samples: &[i16]) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for v in samples {
        writer.write_sample(*v).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn spec(channels: u16) -> hound::WavSpec {
    hound::WavSpec {
        channels,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    }
}

/// The band (of the default 64) whose peak is nearest to a frequency.
fn band_of(hz: f64) -> f64 {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let width = (mel(3800.0) - mel(60.0)) / 65.0;
    (mel(hz) - mel(60.0)) / width - 1.0
}

fn tone(hz: f64, seconds: f64) -> Sound {
    let sample = |i| (0.5 * (std::f64::consts::TAU * hz * f64::from(i) / 8000.0).sin()) as f32;
    let samples = (0..(seconds * 8000.0) as i32).map(sample).collect();
    Sound {
        samples,
        rate_hz: 8000,
    }
}

#[test]
fn channels_become_their_mean_and_full_scale_is_one() {
    let at = Path::new("a.wav");
    let sound = Sound::decode(&wav(spec(2), &[16384, -16384, 32767, 32767]), at).unwrap();
    assert_eq!(sound.samples, [0.0, 32767.0 / 32768.0]);
    assert_eq!((sound.rate_hz, sound.duration_s()), (8000, 2.0 / 8000.0));
}

#[test]
fn faulty_files_are_refused_by_name() {
    let at = Path::new("a.wav");
    let refused = |bytes: &[u8]| Sound::decode(bytes, at).unwrap_err().to_string();
    assert!(refused(b"not a sound").starts_with("a.wav: not readable as WAV"));
    let whole = wav(spec(1), &[1, 2, 3, 4]);
    assert!(refused(&whole[..whole.len() - 3]).contains("WAV"));
    assert!(refused(&wav(spec(1), &[])).contains("`samples`: expected samples"));
    let float = hound::WavSpec {
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
        ..spec(1)
    };
    let mut bytes = Cursor::new(vec![]);
    let mut writer = hound::WavWriter::new(&mut bytes, float).unwrap();
    writer.write_sample(0.5f32).unwrap();
    writer.write_sample(f32::NAN).unwrap();
    writer.finalize().unwrap();
    assert!(refused(bytes.get_ref()).contains("index 1: expected finite samples, found NaN"));
}

#[test]
fn a_tone_has_its_energy_in_its_own_band() {
    let bank = MelSpikes::default();
    for hz in [200.0, 1000.0, 3000.0] {
        let levels = bank.levels(&tone(hz, 0.2)).unwrap();
        assert_eq!(levels.len(), 20);
        let loudest = (0..64).max_by(|a, b| levels[5][*a].total_cmp(&levels[5][*b]));
        assert!(
            (loudest.unwrap() as f64 - band_of(hz)).abs() <= 0.6,
            "{hz} Hz"
        );
    }
}

#[test]
fn a_band_spikes_where_its_energy_rises_and_not_where_it_falls() {
    let bank = MelSpikes::default();
    let mut sound = tone(1000.0, 0.3);
    sound.samples[..800].fill(0.0);
    sound.samples[1600..].fill(0.0);
    let spikes = bank.spikes(&sound).unwrap();
    assert_eq!(spikes.len(), 64);
    // Where the tone breaks off, its neighbors rise: the break is heard in all bands.
    let band = band_of(1000.0).round() as u32;
    let steps: Vec<usize> = (0..64).filter(|t| spikes[*t].contains(&band)).collect();
    assert!(!steps.is_empty(), "band {band}");
    assert!(steps.iter().all(|t| (7..=10).contains(t)), "{steps:?}");
    // Twice as loud a sound rises by the same factors, above the floor.
    let steady = bank.spikes(&tone(1000.0, 0.3)).unwrap();
    let late: usize = steady[2..25].iter().map(Vec::len).sum();
    assert_eq!(late, 0);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |change: fn(&mut MelSpikes)| {
        let mut bank = MelSpikes::default();
        change(&mut bank);
        bank.spikes(&tone(500.0, 0.1)).unwrap_err().to_string()
    };
    assert!(refused(|b| b.bands = 0).contains("bands"));
    assert!(refused(|b| b.steps = 5000).contains("steps"));
    assert!(refused(|b| b.threshold = f64::NAN).contains("threshold"));
    assert!(refused(|b| b.step_s = 0.0).contains("step_s"));
    assert!(refused(|b| b.high_hz = 50.0).contains("high_hz"));
    let narrow = |b: &mut MelSpikes| (b.low_hz, b.high_hz) = (100.0, 100.001);
    assert!(refused(narrow).contains("bands of at least"));
    assert!(refused(|b| b.high_hz = 5000.0).contains("half of the sound's rate"));
}

#[test]
fn a_folder_of_digits_is_read_in_order() {
    let temp = tempfile::tempdir().unwrap();
    let put = |name: &str| {
        std::fs::write(temp.path().join(name), wav(spec(1), &[5; 800])).unwrap();
    };
    let refused = || spoken_digits(temp.path()).unwrap_err().to_string();
    assert!(refused().contains("expected WAV files"));
    for name in ["7_jo_10.wav", "7_jo_9.wav", "2_a_b_0.WAV", "notes.txt"] {
        put(name);
    }
    let spoken = spoken_digits(temp.path()).unwrap();
    let names: Vec<_> = spoken
        .iter()
        .map(|s| (s.digit, s.speaker.as_str(), s.take))
        .collect();
    assert_eq!(names, [(2, "a_b", 0), (7, "jo", 9), (7, "jo", 10)]);
    assert!(spoken[0].is_test() && !spoken[1].is_test());
    put("11_jo_0.wav");
    assert!(refused().contains("digit, speaker and take"));
}

#[test]
fn real_digits_spike_about_as_much_as_stand_ins() {
    let bank = MelSpikes::default();
    let rate = |spoken: &[Spoken]| {
        let all = spoken.iter().map(|s| bank.spikes(&s.sound).unwrap());
        let n: usize = all.map(|s| s.iter().map(Vec::len).sum::<usize>()).sum();
        n as f64 / spoken.len() as f64
    };
    let stand_ins = rate(&voiced_digits(2, 5, &Streams::new(0)).unwrap());
    assert!((100.0..1500.0).contains(&stand_ins), "{stand_ins}");
    let Some(folder) = test_data("fsdd/recordings") else {
        eprintln!("only the stand-ins: the Free Spoken Digit Dataset is not on this machine");
        return;
    };
    let spoken = spoken_digits(&folder).unwrap();
    assert_eq!(spoken.len(), 3000);
    assert_eq!(spoken.iter().filter(|s| s.is_test()).count(), 300);
    let real = rate(&spoken[..300]);
    assert!(
        (0.3..3.0).contains(&(stand_ins / real)),
        "{stand_ins} {real}"
    );
}
