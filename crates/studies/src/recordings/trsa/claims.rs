//! What the paper claims, and what was measured for it on the published RDMs with independent code.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims that need the published RDMs.
pub(super) const PUBLISHED: [&str; 5] = [
    "alexnet-counts",
    "alexnet-interior",
    "alexnet-families",
    "human-it-sessions",
    "human-it-models",
];

/// Claim 2 needs RDMs that were not published.
pub(super) const FMRI: &str = "fmri-areas";

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "eights-geometry",
            Exact,
            "Rank RDMs group the four figure-eights by geometry: shapes of one topology lie farther apart than shapes of one geometry",
            "figure with the four eights, n = 50; ratio measured at 5.35",
            "eights/ratio/rank",
            Bound::AtLeast(4.0),
            "reference measurement 5.35, bar set at 4",
        ),
        claim(
            "eights-topology",
            Exact,
            "Two-step geodesic matrices at l = 0, u = 0.075 group them by topology",
            "figure with the four eights, n = 50; ratio measured at 0.69",
            "eights/ratio/geodesic",
            Bound::AtMost(0.8),
            "reference measurement 0.69, bar set at 0.8",
        ),
        claim(
            FMRI,
            Qualitative,
            "In fMRI (62 stimuli, 8 areas), geo-topological matrices tell the area across subjects about as well as the RDM or better",
            "fMRI results; printed accuracies not verified",
            "fmri/geo-topological-minus-rdm",
            Bound::AtLeast(0.0),
            "as well or better",
        ),
        claim(
            "layers-under-noise",
            Scaled,
            "Under the largest noise, topology-sensitive matrices tell layers across network seeds no worse than the rank RDM (p of a one-sided paired t test over seeds that they are worse)",
            "abstract: robust to noise; network results, 10 layers x 10 seeds, printed accuracies not verified; here on generated RDMs",
            "networks/noise-max/topology-worse-p",
            Bound::AtLeast(0.05),
            "no figure is at hand to compare the accuracy with: not significantly worse at the 5% level",
        ),
        claim(
            "beats-raw",
            Scaled,
            "Geo-topological matrices tell layers better than raw RDMs, whose scales differ between seeds (best family minus raw, no noise)",
            "network results; here on generated RDMs",
            "accuracy/best-family-minus-raw",
            Bound::AtLeast(0.0),
            "as well or better",
        ),
        claim(
            "alexnet-counts",
            Exact,
            "AlexNet's 55 convolutional RDMs: 23 (raw), 50 (rank), 50, 53, 53, 48 and 51 are told right at the seven reference thresholds",
            "published AlexNet RDMs; reference measurement 1",
            "alexnet/counts-matching",
            Bound::Within {
                value: 7.0,
                tolerance: 0.0,
            },
            "counts are exact",
        ),
        claim(
            "alexnet-interior",
            Exact,
            "The best thresholds are inside the triangle, not (0, 1): best accuracy minus that of the rank RDM",
            "accuracy maps; published AlexNet RDMs",
            "alexnet/best-minus-rank",
            Bound::AtLeast(1.0 / 55.0),
            "at least one RDM more of 55",
        ),
        claim(
            "alexnet-families",
            Exact,
            "Families in order of mean accuracy: topology, intermediate, local, geometry, global (smallest gap between neighbors)",
            "published AlexNet RDMs, 0.1 grid; reference measurement 2",
            "alexnet/smallest-family-gap",
            Bound::AtLeast(0.001),
            "the order must hold; the smallest reference gap is 0.0048",
        ),
        claim(
            "human-it-sessions",
            Exact,
            "Spearman correlation between two sessions of human IT: 0.2770, 0.0954, 0.3825, 0.1196 (largest deviation)",
            "published human IT RDMs; reference measurement 5",
            "human-it/sessions-deviation",
            Bound::AtMost(5e-5),
            "rounding of the reference",
        ),
        claim(
            "human-it-models",
            Exact,
            "Spearman correlation of mean human IT with eight models, from animacy 0.5882 to V1 0.0393 (largest deviation)",
            "published human IT and model RDMs; reference measurement 5",
            "human-it/models-deviation",
            Bound::AtMost(5e-5),
            "rounding of the reference",
        ),
    ]
}
