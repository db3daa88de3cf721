//! From responses to scores. Responses are of all places, at least 0; the higher, the better.

/// The place that responds most, the first of several; `None` if none responds.
#[must_use]
pub fn best_place(responses: &[f64]) -> Option<usize> {
    let mut best = (None, 0.0);
    for (place, &response) in responses.iter().enumerate() {
        if response > best.1 {
            best = (Some(place), response);
        }
    }
    best.0
}

/// Whether a place is among the `n` that respond most. Of equals the first come first; a place that does not respond is
/// not found.
fn found(responses: &[f64], place: usize, n: usize) -> bool {
    let Some(&own) = responses.get(place) else {
        return false;
    };
    let ahead = |(p, r): (usize, &f64)| *r > own || (*r == own && p < place);
    own > 0.0 && responses.iter().enumerate().filter(|r| ahead(*r)).count() < n
}

/// Recall at `n`: the fraction of queries whose true place is among the `n` that respond most. 0 without queries.
#[must_use]
pub fn recall_at(responses: &[Vec<f64>], truth: &[usize], n: usize) -> f64 {
    let queries = responses.iter().zip(truth);
    let right = queries.filter(|(r, place)| found(r, **place, n)).count();
    right as f64 / responses.len().max(1) as f64
}

/// Precision against recall, while fewer and fewer queries are turned away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// Least response that is taken as a match, descending.
    pub threshold: Vec<f64>,
    /// Of the matches, the fraction that is right.
    pub precision: Vec<f64>,
    /// Right matches over right matches and queries turned away: 1 once every query has a match.
    pub recall: Vec<f64>,
}

/// Precision and recall over thresholds on the best response. Every query has a true place, so precision at full recall is
/// the fraction of right answers among those that got one.
#[must_use]
pub fn precision_recall(responses: &[Vec<f64>], truth: &[usize]) -> Curve {
    let best = |(responses, truth): (&Vec<f64>, &usize)| {
        let place = best_place(responses)?;
        Some((responses[place], place == *truth))
    };
    let mut matches: Vec<(f64, bool)> = responses.iter().zip(truth).filter_map(best).collect();
    matches.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut curve = Curve::default();
    let (mut right, mut taken) = (0usize, 0usize);
    while taken < matches.len() {
        let threshold = matches[taken].0;
        while let Some(&(response, is_right)) = matches.get(taken)
            && response == threshold
        {
            right += usize::from(is_right);
            taken += 1;
        }
        let away = responses.len() - taken;
        curve.threshold.push(threshold);
        curve.precision.push(right as f64 / taken as f64);
        curve
            .recall
            .push(right as f64 / (right + away).max(1) as f64);
    }
    curve
}
