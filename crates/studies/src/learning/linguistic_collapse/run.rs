//! The experiment: the published table, exact geometry, passes against the plain version, planted collapse,
//! own language models.

use chiasm_core::Failure;
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};

use super::config::Config;
use super::exact::{self, Sphere};
use super::planted::{self, Point};
use super::published::{self, MEASURES, Published};
use super::{claims, figures, own};

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let published = table(config, bench)?;
    exact::simplices(bench)?;
    let spheres = bench.stage("spheres", |bench| exact::spheres(config, bench))?;
    let (mean, variance) = exact::deviations(&spheres);
    bench.metric("sphere/mean-deviation", mean, "1")?;
    match variance {
        Some(v) => bench.metric("sphere/variance-deviation", v, "1")?,
        None => bench.not_at_this_scale(
            claims::SPHERE,
            "reference values are known for 32, 64 and 256 features",
        ),
    }
    for s in &spheres {
        bench.metric(&format!("sphere/mean/{}", s.features), s.mean, "1")?;
        bench.metric(&format!("sphere/variance/{}", s.features), s.variance, "1")?;
    }
    let (apart, differ) = planted::streaming(config, bench)?;
    bench.metric("streaming/difference", apart, "1")?;
    bench.metric("streaming/decisions-differ", differ, "samples")?;
    let points = bench.stage("planted", |bench| planted::sweep(config, bench))?;
    report(&points, bench)?;
    let own = own::run(config, bench)?;
    if let Some(found) = &published {
        bench.figure(figures::measures_and_loss(found))?;
        bench.figure(figures::strengths(found))?;
    }
    bench.figure(figures::planted(&points))?;
    bench.figure(figures::spheres(&spheres))?;
    Ok(findings(published.as_ref(), &spheres, &points).and(own))
}

fn table(config: &Config, bench: &mut Bench) -> Result<Option<Published>, Failure> {
    let path = match published::locate(config) {
        Ok(path) => path,
        Err(why) => {
            for claim in claims::PUBLISHED {
                bench.not_at_this_scale(claim, why.clone());
            }
            bench.note(format!("Without the published table: {why}."));
            return Ok(None);
        }
    };
    let found = bench.stage("published", |bench| {
        published::measure(&path, config, bench)
    })?;
    let rows = MEASURES.iter().enumerate().map(|(i, (name, what))| {
        let (scaling, seeds) = (&found.scaling.correlations[i], &found.seeds.correlations[i]);
        let number = |v: f64| format!("{v:.3}");
        vec![
            (*name).into(),
            (*what).into(),
            number(scaling.pearson),
            number(scaling.spearman),
            number(seeds.pearson),
            number(seeds.spearman),
            format!("{:.4}", seeds.spearman_p),
        ]
    });
    bench.table(Table {
        id: "correlations".into(),
        title: "Correlation with the validation loss, over scales and over seeds of one size"
            .into(),
        columns: [
            "column",
            "measure",
            "Pearson, scales",
            "Spearman, scales",
            "Pearson, seeds",
            "Spearman, seeds",
            "p, seeds",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
    })?;
    Ok(Some(found))
}

fn report(points: &[Point], bench: &mut Bench) -> Result<(), Failure> {
    let apart = points.iter().map(|p| (p.cdnv / p.expected - 1.0).abs());
    let most = apart.fold(0.0, f64::max);
    bench.metric("planted/cdnv-deviation", most, "1")?;
    if let Some(first) = points.first() {
        bench.metric("planted/agreement", first.agreement, "1")?;
        let ratio = first.shuffled_cdnv / first.cdnv;
        bench.metric("planted/shuffled-over-own", ratio, "1")?;
        bench.metric("planted/shuffled-agreement", first.shuffled_agreement, "1")?;
    }
    for p in points {
        let name = |what: &str| format!("planted/{what}/{}", p.scatter);
        bench.metric(&name("cdnv"), p.cdnv, "1")?;
        bench.metric(&name("cdnv-squared"), p.cdnv_squared, "1")?;
        bench.metric(&name("simplex-error"), p.simplex, "1")?;
        bench.metric(&name("agreement"), p.agreement, "1")?;
    }
    Ok(())
}

fn findings(published: Option<&Published>, spheres: &[Sphere], points: &[Point]) -> Findings {
    let first = match published {
        Some(found) => {
            let strength = |name: &str| {
                let place = MEASURES.iter().position(|(n, _)| *n == name).unwrap_or(0);
                let of = |rows: &published::Rows| rows.correlations[place].pearson;
                (of(&found.scaling), of(&found.seeds))
            };
            let (norms, angles, uniform, agreement) = (
                strength("norms_log_var"),
                strength("interfere_var"),
                strength("log_kern_var"),
                strength("agreement"),
            );
            format!(
                "Over {} published language models the validation loss goes with equinorm by {:.2}, with equiangularity by {:.2}, \
                 with hyperspherical uniformity by {:.2} and with the agreement of classifier and nearest mean by {:.2} (Pearson); \
                 over {} seeds of one size with the last two by {:.2} and {:.2}. Scales are confounded with size: the seeds are \
                 the honest test.",
                found.scaling.loss.len(),
                norms.0,
                angles.0,
                uniform.0,
                agreement.0,
                found.seeds.loss.len(),
                uniform.1,
                agreement.1
            )
        }
        None => "The published table was not read.".into(),
    };
    let mut findings = Findings::new(first);
    if let (Some(point), Some(sphere)) = (points.first(), spheres.last()) {
        findings = findings.and(format!(
            "Planted scatter of {} of the distance between means has a class-distance normalized variance of {:.2e} (to be {:.2e}), \
             with labels shuffled {:.2e}. Random directions in {} dimensions have a log kernel of mean {:.3} and variance {:.2e}.",
            point.scatter,
            point.cdnv,
            point.expected,
            point.shuffled_cdnv,
            sphere.features,
            sphere.mean,
            sphere.variance
        ));
    }
    findings
}
