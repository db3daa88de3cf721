//! Settings of the sampler.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::partition_prior::{ClusterPrior, PartitionPrior};

/// How counts scatter around their rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// Variance rate + rate^2 / r, with a dispersion r for each neuron.
    #[default]
    NegativeBinomial,
    /// Variance = rate. Paths and loadings are proposed as for a negative binomial of large r and corrected by
    /// Metropolis and Hastings.
    Poisson,
}

/// Which Markov kernel a sweep after the burn-in is. In the burn-in it is always the released one, with searches for better
/// states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// Leaves the posterior invariant: births weigh the density of the new path, loadings are weighed against their
    /// proposal, and the identified form is taken of kept draws only. A birth must pay for the dynamics of its path at
    /// once, so that on many bins it hardly ever happens: the burn-in finds how many clusters there are.
    #[default]
    Exact,
    /// As in the released code: clusters compete by an approximate marginal likelihood on latents of equal scale, new
    /// clusters start from paths that are neither of the prior nor of the posterior, and every sweep ends in the
    /// identified form. Clusters are born and die throughout; leaves the posterior invariant only approximately.
    Released,
}

/// On which scale a cluster's latents are when clusters compete for a neuron.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LatentScale {
    /// Orthogonal with variance 1 over the bins: a loading of 1 is one unit of log rate (chosen).
    #[default]
    UnitVariance,
    /// Orthonormal over the bins, as in the released code: the prior then shrinks loadings the more, the longer the
    /// recording.
    Orthonormal,
}

/// What a neuron is compared with in its own cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Assignment {
    /// A path drawn without the neuron (chosen). The path of its own cluster was fitted to it, those of the others were
    /// not: compared with that, a neuron hardly ever leaves, and clusters that are one never merge.
    #[default]
    LeaveOneOut,
    /// The present path, as in the released code.
    InSample,
}

/// Where chains start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// From many small clusters, by k-means of smoothed counts (chosen): clusters that are one then merge.
    #[default]
    KMeans,
    /// From one cluster, as in the released code.
    One,
}

/// Bayesian biclustering: neurons by shared latent paths, time bins by shared linear dynamics of those paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Biclustering {
    /// Latent dimensions of a cluster beside its mean path, p (released code: 2).
    pub latents: usize,
    /// How counts scatter around their rate.
    pub observation: Observation,
    /// Dispersion r of the negative binomial that proposes for the Poisson model (released code: 100).
    pub proposal_dispersion: f64,
    /// The dispersion r of all neurons, if it is known; drawn for each neuron if not given.
    pub dispersion: Option<f64>,
    /// Prior over partitions of the neurons (released code: mixtures).
    pub cluster_prior: ClusterPrior,
    /// Mixtures: the number of clusters less one is geometric with this parameter (released code: 0.2 in simulation, 0.415
    /// on the recording).
    pub rho: f64,
    /// Dirichlet weight of the mixtures (released code: 1).
    pub cluster_weight: f64,
    /// Dirichlet process: concentration (released code: 1, or drawn; here fixed).
    pub concentration: f64,
    /// Fixed: number of clusters of the mixture.
    pub clusters: usize,
    /// No more clusters than this are open at once (released code: half the number of neurons).
    pub max_clusters: usize,
    /// States of the weak-limit approximation, L (released code: 10 in simulation, 20 on the recording); 1 for one
    /// dynamics throughout.
    pub states: usize,
    /// Concentration of each state's transitions (released code: 5).
    pub alpha: f64,
    /// Concentration of the states' shared weights (released code: 5).
    pub gamma: f64,
    /// Extra weight of staying in a state (released code: 10).
    pub kappa: f64,
    /// Sweeps of each chain (released code: 10000).
    pub sweeps: usize,
    /// Sweeps discarded at the start of each chain (released code: a quarter).
    pub burn_in: usize,
    /// Every so many sweeps after the burn-in one is kept (released code: 1, which takes many gigabytes).
    pub thin: usize,
    /// Independent chains.
    pub chains: usize,
    /// Which kernel a sweep is.
    pub kernel: Kernel,
    /// On which scale a cluster's latents are when clusters compete for a neuron.
    pub latent_scale: LatentScale,
    /// What a neuron is compared with in its own cluster.
    pub assignment: Assignment,
    /// Where chains start.
    pub start: Start,
    /// Starts of each chain; after they have settled the chain goes on with the one whose neurons are best foretold by the
    /// others of their clusters (chosen).
    pub starts: usize,
    /// Sweeps at the start, at most half of the burn-in, in which clusters move each by itself and in one state, so that
    /// paths and clusters can settle before states are looked for (chosen).
    pub settle: usize,
    /// In every so many sweeps new clusters start from splines, else from autoregressive paths (released code: 5 in
    /// simulation, 10 on the recording).
    pub spline_every: usize,
    /// Share of the sweeps after which the reference of labels, signs and order is frozen (released code: 0.01).
    pub reference_share: f64,
    /// Proposals in each sweep to move a boundary between states with the paths integrated out (chosen).
    pub boundary_moves: usize,
    /// In the burn-in alone: every so many sweeps better states are looked for, from segmentations by the size of the paths
    /// (chosen; the released code makes its states anew while one holds most bins, at any time).
    pub search_every: usize,
}

impl Default for Biclustering {
    fn default() -> Self {
        Self {
            latents: 2,
            observation: Observation::NegativeBinomial,
            proposal_dispersion: 100.0,
            dispersion: None,
            cluster_prior: ClusterPrior::Mixtures,
            rho: 0.2,
            cluster_weight: 1.0,
            concentration: 1.0,
            clusters: 3,
            max_clusters: 10,
            states: 10,
            alpha: 5.0,
            gamma: 5.0,
            kappa: 10.0,
            sweeps: 2000,
            burn_in: 500,
            thin: 3,
            chains: 1,
            kernel: Kernel::Exact,
            latent_scale: LatentScale::UnitVariance,
            assignment: Assignment::LeaveOneOut,
            start: Start::KMeans,
            starts: 4,
            settle: 100,
            spline_every: 5,
            reference_share: 0.01,
            boundary_moves: 20,
            search_every: 25,
        }
    }
}

impl Biclustering {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] for the first one.
    pub fn validate(&self) -> Result<(), SettingError> {
        let above = |field, v: f64| {
            let holds = v > 0.0 && v.is_finite();
            SettingError::check(holds, field, "a finite value above 0", v)
        };
        let at_least = |field, least: usize, v: usize| {
            SettingError::check(v >= least, field, &format!("at least {least}"), v)
        };
        let p = self.latents;
        SettingError::check((1..=10).contains(&p), "latents", "1 to 10", p)?;
        let r = self.proposal_dispersion;
        SettingError::check(
            (1.0..=1e6).contains(&r),
            "proposal_dispersion",
            "1 to 1e6",
            r,
        )?;
        if let Some(r) = self.dispersion {
            above("dispersion", r)?;
        }
        let rho = self.rho;
        SettingError::check(rho > 0.0 && rho < 1.0, "rho", "above 0 and below 1", rho)?;
        above("cluster_weight", self.cluster_weight)?;
        above("concentration", self.concentration)?;
        at_least("clusters", 1, self.clusters)?;
        at_least("max_clusters", 1, self.max_clusters)?;
        let wide = self.max_clusters;
        SettingError::check(wide <= 64, "max_clusters", "at most 64", wide)?;
        let l = self.states;
        SettingError::check((1..=200).contains(&l), "states", "1 to 200", l)?;
        above("alpha", self.alpha)?;
        above("gamma", self.gamma)?;
        let kappa = self.kappa;
        SettingError::check(
            kappa >= 0.0 && kappa.is_finite(),
            "kappa",
            "a finite value of 0 or more",
            kappa,
        )?;
        at_least("sweeps", 1, self.sweeps)?;
        let fine = self.burn_in < self.sweeps;
        SettingError::check(fine, "burn_in", "fewer than sweeps", self.burn_in)?;
        at_least("thin", 1, self.thin)?;
        at_least("chains", 1, self.chains)?;
        let starts = self.starts;
        SettingError::check((1..=100).contains(&starts), "starts", "1 to 100", starts)?;
        at_least("spline_every", 1, self.spline_every)?;
        let share = self.reference_share;
        SettingError::check(
            (0.0..=1.0).contains(&share),
            "reference_share",
            "0 to 1",
            share,
        )?;
        at_least("search_every", 1, self.search_every)
    }

    /// The prior over partitions of `n` neurons.
    #[must_use]
    pub fn partition_prior(&self, n: usize) -> PartitionPrior {
        match self.cluster_prior {
            ClusterPrior::Mixtures => PartitionPrior::mixtures(n, self.rho, self.cluster_weight),
            ClusterPrior::DirichletProcess => {
                PartitionPrior::dirichlet_process(n, self.concentration)
            }
            ClusterPrior::Fixed => PartitionPrior::fixed(n, self.clusters, self.cluster_weight),
        }
    }

    /// Whether all neurons share one cluster for certain.
    pub(super) fn one_cluster(&self) -> bool {
        self.max_clusters == 1 || (self.cluster_prior == ClusterPrior::Fixed && self.clusters == 1)
    }

    /// Sweeps that only settle paths and clusters.
    pub(super) fn n_settling(&self) -> usize {
        self.settle.min(self.burn_in / 2)
    }

    /// Whether this sweep (from 0) leaves the posterior invariant.
    pub(super) fn exact_at(&self, sweep: usize) -> bool {
        self.kernel == Kernel::Exact && sweep >= self.burn_in
    }

    /// Sweeps kept of each chain.
    #[must_use]
    pub fn kept(&self) -> usize {
        (self.sweeps - self.burn_in).div_ceil(self.thin)
    }

    /// Whether the state after this sweep (from 0) is kept.
    pub(super) fn keeps(&self, sweep: usize) -> bool {
        sweep >= self.burn_in && (sweep - self.burn_in).is_multiple_of(self.thin)
    }
}
