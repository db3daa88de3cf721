//! Claims: a paper's statements, each bound to a metric. A study measures; the lab judges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of agreement a claim asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// The very number, up to rounding.
    Exact,
    /// The effect at a smaller scale than the paper's.
    Scaled,
    /// The direction or shape of an effect.
    Qualitative,
}

/// Which measured values count as holding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The value or more.
    AtLeast(f64),
    /// The value or less.
    AtMost(f64),
    /// Within `tolerance` of `value`.
    Within {
        /// The expected value.
        value: f64,
        /// The accepted distance from it.
        tolerance: f64,
    },
}

impl Bound {
    /// Whether `measured` holds. NaN never does.
    #[must_use]
    pub fn holds(&self, measured: f64) -> bool {
        match *self {
            Self::AtLeast(v) => measured >= v,
            Self::AtMost(v) => measured <= v,
            Self::Within { value, tolerance } => (measured - value).abs() <= tolerance,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(v) => write!(f, "≥ {v}"),
            Self::AtMost(v) => write!(f, "≤ {v}"),
            Self::Within { value, tolerance } => write!(f, "{value} ± {tolerance}"),
        }
    }
}

/// One statement of a paper (or of its card), as it will be tested.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClaimSpec {
    /// Identity within the study, in kebab case.
    pub id: &'static str,
    /// The statement, in our words.
    pub statement: &'static str,
    /// Where it stands: section, figure, table, or the card's bar.
    pub place: &'static str,
    /// What kind of agreement is asked for.
    pub kind: ClaimKind,
    /// The paper's own figure as printed there; `None` where it printed none or it could not be verified.
    pub paper: Option<&'static str>,
    /// The metric that measures it, by name.
    pub metric: &'static str,
    /// What counts as holding.
    pub bound: Bound,
    /// Why this bound.
    pub reason: &'static str,
}

/// The judgement over all seeds of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The mean over seeds is within the bound.
    Holds,
    /// It is not.
    Fails,
    /// Not tested by this preset, and why.
    NotAtThisScale(String),
}

/// A claim beside what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimResult {
    /// The claim.
    #[serde(flatten)]
    pub spec: ClaimSpec,
    /// Its metric, one value for each seed, in the order of the seeds.
    pub values: Vec<f64>,
    /// Mean over seeds; `None` where it was not measured.
    pub measured: Option<f64>,
    /// Sample standard deviation over seeds; `None` with fewer than two.
    pub spread: Option<f64>,
    /// On how many seeds the bound holds by itself.
    pub seeds_holding: usize,
    /// The verdict, on the mean.
    pub verdict: Verdict,
}

impl ClaimSpec {
    /// A claim of whose figure the paper printed none.
    #[must_use]
    pub const fn new(
        id: &'static str,
        kind: ClaimKind,
        statement: &'static str,
        place: &'static str,
        metric: &'static str,
        bound: Bound,
        reason: &'static str,
    ) -> Self {
        Self {
            id,
            statement,
            place,
            kind,
            paper: None,
            metric,
            bound,
            reason,
        }
    }

    /// The same with the paper's own figure.
    #[must_use]
    pub const fn printed(mut self, figure: &'static str) -> Self {
        self.paper = Some(figure);
        self
    }

    /// Judges this claim by its metric's values, one for each seed. With no values it was not tested, for the reason
    /// given; without a reason that is a failure: a claim that vanishes must not look like one that was excused.
    #[must_use]
    pub fn judge(&self, values: Vec<f64>, excuse: Option<&str>) -> ClaimResult {
        let measured = (!values.is_empty()).then(|| chiasm_core::stats::mean(&values));
        let verdict = match (measured, excuse) {
            (Some(m), _) if self.bound.holds(m) => Verdict::Holds,
            (None, Some(why)) => Verdict::NotAtThisScale(why.to_owned()),
            _ => Verdict::Fails,
        };
        ClaimResult {
            spec: self.clone(),
            measured,
            spread: (values.len() > 1).then(|| chiasm_core::stats::sd(&values, 1)),
            seeds_holding: values.iter().filter(|v| self.bound.holds(**v)).count(),
            values,
            verdict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_follow_the_mean_and_nan_never_holds() {
        let claim = ClaimSpec::new(
            "c",
            ClaimKind::Exact,
            "s",
            "p",
            "m",
            Bound::AtLeast(0.9),
            "r",
        );
        let result = claim.judge(vec![0.95, 0.89], None);
        assert_eq!((result.verdict, result.seeds_holding), (Verdict::Holds, 1));
        assert_eq!(claim.judge(vec![f64::NAN], None).verdict, Verdict::Fails);
        assert_eq!(claim.judge(vec![], None).verdict, Verdict::Fails);
        let excused = claim.judge(vec![], Some("needs 20 animals"));
        assert_eq!(
            excused.verdict,
            Verdict::NotAtThisScale("needs 20 animals".into())
        );
        let within = Bound::Within {
            value: 1.0,
            tolerance: 0.1,
        };
        assert!(within.holds(1.05) && !within.holds(1.2) && Bound::AtMost(2.0).holds(2.0));
    }
}
