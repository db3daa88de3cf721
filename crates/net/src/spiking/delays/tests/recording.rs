use chiasm_core::Streams;

use super::super::{Config, DelayNetwork, Event, Trains};

#[test]
fn hidden_spikes_are_kept_as_a_recording() {
    let config = Config {
        hidden: vec![5, 4],
        max_delay_ms: 30.0,
        ..Config::default()
    };
    let network = DelayNetwork::<f32>::new(&config, 3, 2, &Streams::new(1)).unwrap();
    let frozen = network.rounded();
    let every = (0..8).flat_map(|t| (0..3).map(move |c| Event::new(t, c, 2.0)));
    let every: Vec<Event> = every.collect();
    let trains = Trains::new((8, 3), vec![every.clone(), every], vec![1, 0], 2).unwrap();
    let recording = frozen.record(&trains, 9, 0.01).unwrap();
    assert_eq!(recording.n_units(), 9);
    assert_eq!(recording.units()[5].id, "1/0");
    assert_eq!(recording.units()[5].region.as_deref(), Some("layer 1"));
    // Three layers of kernels of three taps, each a step longer.
    let labels: Vec<&str> = recording
        .epochs()
        .iter()
        .map(|e| e.label.as_str())
        .collect();
    assert_eq!(labels, ["1", "0"]);
    assert!((recording.epochs()[1].start_s - 0.11).abs() < 1e-12);
    let times = &recording.spikes().unwrap().times;
    let sent = frozen.spikes(&trains, 0).unwrap();
    let of = |layer: usize, i: u32| sent[layer].iter().filter(|e| e.channel == i).count();
    assert!(sent[0].len() > 4);
    for (unit, (layer, i)) in [(0, (0, 0)), (3, (0, 3)), (6, (1, 1))] {
        assert_eq!(times[unit].len(), 2 * of(layer, i), "{unit}");
    }
    assert!(frozen.record(&trains, 1, 0.0).is_err());
    assert!(frozen.spikes(&trains, 2).is_err());
}
