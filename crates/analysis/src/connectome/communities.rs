//! All three stages in one: from recordings to components, each with its communities.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError, Streams, Watch};
use chiasm_data::Recording;
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affinity::{
    Affinities, Affinity, AffinityError, ConnectomeTensor, TensorError, tensor_of,
};
use super::block_model::{BlockModel, BlockModelError, Blocks, WeightModel, WeightedGraph};
use super::factorization::{Factorization, FactorizationError, Factors, RankChoice, RankRule};

/// The dynamic functional connectome: settings of its three stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DynamicConnectome {
    /// Stage 1.
    pub affinity: Affinity,
    /// Stage 2. Its `rank` is used where `choose_rank` is false.
    pub factorization: Factorization,
    /// Whether the number of components is chosen by `rank_rule`.
    pub choose_rank: bool,
    /// How the number of components is chosen.
    pub rank_rule: RankRule,
    /// Stage 3.
    pub block_model: BlockModel,
    /// Pairs whose weight in a component is below this share of the component's largest are no edges (paper 01, stage 3:
    /// 1e-3, chosen).
    pub drop_below: f64,
}

impl Default for DynamicConnectome {
    fn default() -> Self {
        Self {
            affinity: Affinity::default(),
            factorization: Factorization::default(),
            choose_rank: true,
            rank_rule: RankRule::default(),
            block_model: BlockModel {
                weights: WeightModel::Auto,
                ..BlockModel::default()
            },
            drop_below: 1e-3,
        }
    }
}

/// The fitted connectome.
#[derive(Debug, Clone)]
pub struct Connectome {
    /// The affinities of all animals.
    pub joined: ConnectomeTensor,
    /// The components.
    pub factors: Factors,
    /// How their number was chosen, if it was.
    pub choice: Option<RankChoice>,
    /// The communities of each component.
    pub communities: Vec<Communities>,
    /// For each animal the names of units left out because their trace never changes.
    pub dropped: Vec<Vec<String>>,
}

/// The communities of one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Communities {
    /// The component's affinities, `[unit, unit]`: NaN on the diagonal and for pairs never seen.
    pub matrix: Array2<f64>,
    /// The fitted block model.
    pub blocks: Blocks,
    /// Mean affinity within each block of the finest level, relative to the component's mean over all pairs; NaN for
    /// blocks of one unit. Above 1: a community; the others are the ground it stands on.
    pub cohesion: Vec<f64>,
    /// Units, block by block in descending cohesion, and within a block in descending mean affinity to it.
    pub order: Vec<usize>,
}

impl Communities {
    /// Blocks in descending cohesion; blocks of one unit last.
    #[must_use]
    pub fn by_cohesion(&self) -> Vec<usize> {
        let mut blocks: Vec<usize> = (0..self.cohesion.len()).collect();
        let key = |b: usize| {
            if self.cohesion[b].is_nan() {
                f64::NEG_INFINITY
            } else {
                self.cohesion[b]
            }
        };
        blocks.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
        blocks
    }

    /// Units of a block of the finest level.
    #[must_use]
    pub fn members(&self, block: usize) -> Vec<usize> {
        self.order
            .iter()
            .copied()
            .filter(|&u| self.blocks.labels()[u] == block)
            .collect()
    }
}

/// Why no connectome came of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectomeError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// An animal's recording gives no affinities.
    #[error("animal {animal} ({subject}): {why}")]
    Affinity {
        /// Animal, from 0.
        animal: usize,
        /// Its session.
        subject: String,
        /// Why not; it is part of the message, hence no source.
        why: AffinityError,
    },
    /// The animals do not fit together.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// The factorization failed.
    #[error(transparent)]
    Factorization(#[from] FactorizationError),
    /// A component has no communities.
    #[error("component {component}: {why}")]
    Blocks {
        /// Component, from 0.
        component: usize,
        /// Why not; it is part of the message, hence no source.
        why: BlockModelError,
    },
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for ConnectomeError {
    fn group(&self) -> Group {
        match self {
            Self::Setting(_) => Group::Input,
            Self::Affinity { why, .. } => why.group(),
            Self::Tensor(e) => e.group(),
            Self::Factorization(e) => e.group(),
            Self::Blocks { why, .. } => why.group(),
            Self::Cancelled(_) => Group::Cancelled,
        }
    }
    fn help(&self) -> Option<String> {
        match self {
            Self::Setting(e) => e.help(),
            Self::Affinity { why, .. } => why.help(),
            Self::Tensor(e) => e.help(),
            Self::Factorization(e) => e.help(),
            Self::Blocks { why, .. } => why.help(),
            Self::Cancelled(_) => None,
        }
    }
}

impl DynamicConnectome {
    /// Refuses settings out of range, naming them by their dotted path.
    ///
    /// # Errors
    /// [`SettingError`].
    pub fn validate(&self) -> Result<(), SettingError> {
        let within = |part: &str, result: Result<(), SettingError>| {
            result.map_err(|e| SettingError {
                field: format!("{part}.{}", e.field),
                ..e
            })
        };
        within("affinity", self.affinity.validate())?;
        within("factorization", self.factorization.validate())?;
        within("rank_rule", self.rank_rule.validate())?;
        within("block_model", self.block_model.validate())?;
        SettingError::check(
            (0.0..1.0).contains(&self.drop_below),
            "drop_below",
            "from 0 to below 1",
            self.drop_below,
        )
    }

    /// Fits all three stages to one or more animals, matched by the names of their units.
    ///
    /// # Errors
    /// [`ConnectomeError`], which says at which stage and in which animal or component.
    pub fn fit(
        &self,
        animals: &[Recording],
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Connectome, ConnectomeError> {
        self.validate()?;
        let affinities = self.affinities(animals, watch)?;
        let joined = tensor_of(&affinities)?;
        let dropped = affinities.into_iter().map(|a| a.dropped).collect();
        let (factors, choice) = self.components(&joined, streams, watch)?;
        let communities = self.communities(&joined, &factors, streams, watch)?;
        Ok(Connectome {
            joined,
            factors,
            choice,
            communities,
            dropped,
        })
    }

    /// Stage 1 for each animal.
    ///
    /// # Errors
    /// [`ConnectomeError::Affinity`].
    pub fn affinities(
        &self,
        animals: &[Recording],
        watch: &dyn Watch,
    ) -> Result<Vec<Affinities>, ConnectomeError> {
        animals
            .iter()
            .enumerate()
            .map(|(animal, recording)| {
                self.affinity.of(recording, watch).map_err(|why| match why {
                    AffinityError::Cancelled(c) => ConnectomeError::Cancelled(c),
                    why => ConnectomeError::Affinity {
                        animal,
                        subject: recording.session().id.clone(),
                        why,
                    },
                })
            })
            .collect()
    }

    /// Stage 2: the components, and how their number was chosen, if it was.
    ///
    /// # Errors
    /// As [`Factorization::fit`].
    pub fn components(
        &self,
        joined: &ConnectomeTensor,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(Factors, Option<RankChoice>), FactorizationError> {
        let streams = streams.child("factorization");
        if self.choose_rank {
            let choice =
                self.rank_rule
                    .choose(&self.factorization, &joined.tensor, &streams, watch)?;
            Ok((choice.fitted.best.clone(), Some(choice)))
        } else {
            Ok((
                self.factorization
                    .fit(&joined.tensor, &streams, watch)?
                    .best,
                None,
            ))
        }
    }

    /// Stage 3: the communities of every component.
    ///
    /// # Errors
    /// [`ConnectomeError::Blocks`].
    pub fn communities(
        &self,
        joined: &ConnectomeTensor,
        factors: &Factors,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Vec<Communities>, ConnectomeError> {
        (0..factors.rank())
            .map(|component| {
                let matrix = joined.matrix(factors.pairs.column(component));
                let streams = streams.child(&format!("component {component}"));
                self.communities_of(matrix, &streams, watch)
                    .map_err(|why| match why {
                        BlockModelError::Cancelled(c) => ConnectomeError::Cancelled(c),
                        why => ConnectomeError::Blocks { component, why },
                    })
            })
            .collect()
    }

    /// The communities of one symmetric matrix of affinities, NaN for pairs never seen.
    ///
    /// # Errors
    /// As [`BlockModel::fit`].
    pub fn communities_of(
        &self,
        matrix: Array2<f64>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Communities, BlockModelError> {
        let observed = matrix.mapv(|v| !v.is_nan());
        let graph =
            WeightedGraph::from_matrix(matrix.view(), Some(observed.view()), self.drop_below)?;
        let blocks = self.block_model.fit(&graph, streams, watch)?;
        let labels = blocks.labels();
        let n_blocks = blocks.n_blocks();
        let n = labels.len();
        let mut all = Mean::default();
        let mut within = vec![Mean::default(); n_blocks];
        for i in 0..n {
            for j in i + 1..n {
                if observed[[i, j]] {
                    all.add(matrix[[i, j]]);
                    if labels[i] == labels[j] {
                        within[labels[i]].add(matrix[[i, j]]);
                    }
                }
            }
        }
        let cohesion: Vec<f64> = within.iter().map(|m| m.get() / all.get()).collect();
        let to_own_block: Vec<f64> = (0..n)
            .map(|i| {
                let mut own = Mean::default();
                for j in (0..n).filter(|&j| labels[j] == labels[i] && observed[[i, j]]) {
                    own.add(matrix[[i, j]]);
                }
                if own.n == 0 { 0.0 } else { own.get() }
            })
            .collect();
        let mut communities = Communities {
            matrix,
            blocks,
            cohesion,
            order: Vec::new(),
        };
        let rank_of_block = communities.by_cohesion();
        let mut place = vec![0; n_blocks];
        for (rank, &block) in rank_of_block.iter().enumerate() {
            place[block] = rank;
        }
        let labels = communities.blocks.labels();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| {
            place[labels[a]]
                .cmp(&place[labels[b]])
                .then(to_own_block[b].total_cmp(&to_own_block[a]))
        });
        communities.order = order;
        Ok(communities)
    }
}

#[derive(Clone, Default)]
struct Mean {
    sum: f64,
    n: usize,
}

impl Mean {
    fn add(&mut self, v: f64) {
        self.sum += v;
        self.n += 1;
    }
    /// NaN where nothing was added.
    fn get(&self) -> f64 {
        self.sum / self.n as f64
    }
}
