use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;

#[derive(Default)]
struct InMemory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Checkpoints for InMemory {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.lock().expect("one thread").get(name).cloned())
    }
    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut kept = self.0.lock().expect("one thread");
        kept.insert(name.into(), bytes.to_vec());
        Ok(())
    }
}

fn staged(bench: &mut Bench, ran: &mut usize) -> Result<f64, Failure> {
    bench.stage("outer", |b| {
        *ran += 1;
        b.log("loss", 0.0, f64::NAN);
        b.note("a stand-in");
        let inner: f64 = b.stage("inner", |b| {
            b.metric("inner", 1.5, "1")?;
            Ok(1.5)
        })?;
        b.figure(
            Figure::new("f", "title", "caption").with(crate::figure::Panel::new(
                "",
                crate::figure::Axis::new("x", "s"),
                crate::figure::Axis::new("y", "1").range(0.0, 1.0),
            )),
        )?;
        Ok(inner * 2.0)
    })
}

#[test]
fn a_stage_from_its_checkpoint_leaves_what_it_left() {
    let kept = Arc::new(InMemory::default());
    let mut ran = 0;
    let mut first = Bench::new(1, Arc::new(Quiet), kept.clone());
    let value = staged(&mut first, &mut ran).expect("computes");
    let mut again = Bench::new(1, Arc::new(Quiet), kept);
    assert_eq!(staged(&mut again, &mut ran).expect("loads"), value);
    assert_eq!(ran, 1);
    // NaN is kept, so the records are compared as text.
    assert_eq!(
        format!("{:?}", first.record()),
        format!("{:?}", again.record())
    );
    assert_eq!(first.record().metrics.len(), 1);
    assert_eq!(first.record().figures.len(), 1);
}

#[test]
fn arms_leave_what_they_left_in_their_order() {
    let mut bench = Bench::in_memory(3);
    let values = bench
        .arms(5, |i, b| {
            // The first arms end last.
            std::thread::sleep(std::time::Duration::from_millis(5 * (5 - i as u64)));
            b.metric(&format!("score/{i}"), i as f64, "1")?;
            Ok(2 * i)
        })
        .expect("five names");
    assert_eq!(values, [0, 2, 4, 6, 8]);
    let names: Vec<&str> = bench
        .record()
        .metrics
        .iter()
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["score/0", "score/1", "score/2", "score/3", "score/4"]
    );
    let twice = bench.arms(2, |_, b| b.metric("same", 0.0, "1"));
    assert!(twice.is_err(), "two arms leave one name");
    let failed = bench.arms(3, |i, b| {
        b.metric(&format!("other/{i}"), 0.0 / i as f64, "1")
    });
    assert!(failed.is_err(), "the first arm's 0 / 0 is no result");
}

#[test]
fn names_are_used_once_across_stages_and_values_are_finite() {
    let mut bench = Bench::in_memory(0);
    bench.metric("inner", 1.0, "1").expect("first");
    let twice = staged(&mut bench, &mut 0).expect_err("`inner` is taken");
    assert!(matches!(
        twice.downcast_ref(),
        Some(BenchError::Twice { what: "metric", .. })
    ));
    assert!(bench.metric("nan", f64::NAN, "1").is_err());
}
