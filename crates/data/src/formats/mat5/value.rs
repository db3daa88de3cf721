//! What a MAT file can hold.

/// MATLAB's class of a numeric array (what `class(x)` says).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MatClass {
    Double,
    Single,
    Int8,
    Uint8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Logical,
}

/// A value of a MAT file.
#[derive(Debug, Clone, PartialEq)]
pub enum MatValue {
    /// A numeric or logical array.
    Numeric(MatArray),
    /// A char array: one string for each row.
    Char(Vec<String>),
    /// A cell array, column-major.
    Cell {
        /// Its dimensions (at least two).
        dims: Vec<usize>,
        /// Its elements.
        items: Vec<MatValue>,
    },
    /// A struct or an array of structs.
    Struct(MatStruct),
    /// A sparse matrix.
    Sparse(MatSparse),
    /// An object, function handle or table: its class, as far as the file tells.
    Opaque(String),
}

impl MatValue {
    /// What it is, for errors: `4x2 double`, `1x63 struct`.
    #[must_use]
    pub fn describe(&self) -> String {
        let shape = |dims: &[usize]| {
            let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
            dims.join("x")
        };
        match self {
            Self::Numeric(a) => {
                let class = format!("{:?}", a.class).to_lowercase();
                format!("{} {class}", shape(&a.dims))
            }
            Self::Char(rows) => format!("char array of {} rows", rows.len()),
            Self::Cell { dims, .. } => format!("{} cell", shape(dims)),
            Self::Struct(s) => format!("{} struct", shape(&s.dims)),
            Self::Sparse(s) => format!("{} sparse", shape(&s.dims)),
            Self::Opaque(class) => format!("object of class {class}"),
        }
    }

    /// The array, if it is numeric or logical.
    #[must_use]
    pub fn as_numeric(&self) -> Option<&MatArray> {
        match self {
            Self::Numeric(a) => Some(a),
            _ => None,
        }
    }

    /// The struct array, if it is one.
    #[must_use]
    pub fn as_struct(&self) -> Option<&MatStruct> {
        match self {
            Self::Struct(s) => Some(s),
            _ => None,
        }
    }

    /// The text of a char array of one row (or of none: the empty string).
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Char(rows) => match rows.as_slice() {
                [] => Some(""),
                [row] => Some(row),
                _ => None,
            },
            _ => None,
        }
    }

    /// The texts of a char array (one for each row) or of a cell array of such.
    #[must_use]
    pub fn as_texts(&self) -> Option<Vec<String>> {
        match self {
            Self::Char(rows) => Some(rows.clone()),
            Self::Cell { items, .. } => items
                .iter()
                .map(|item| item.as_text().map(str::to_owned))
                .collect(),
            _ => None,
        }
    }
}

/// A numeric or logical array, column-major.
#[derive(Debug, Clone, PartialEq)]
pub struct MatArray {
    /// MATLAB's class.
    pub class: MatClass,
    /// Dimensions (at least two); their product is the number of values.
    pub dims: Vec<usize>,
    /// The values, in the type they are stored in: MATLAB stores a double array of small whole numbers as bytes.
    pub values: Numbers,
    /// The imaginary parts of a complex array.
    pub imaginary: Option<Numbers>,
}

impl MatArray {
    /// Rows and columns, if the array is a matrix (all further dimensions 1).
    #[must_use]
    pub fn matrix_dims(&self) -> Option<(usize, usize)> {
        match self.dims.as_slice() {
            [r, c, rest @ ..] if rest.iter().all(|&d| d == 1) => Some((*r, *c)),
            _ => None,
        }
    }

    /// The values of a real array as `f64`, column-major; `None` if it is complex.
    #[must_use]
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        self.imaginary.is_none().then(|| self.values.to_f64())
    }
}

/// A sparse matrix in compressed columns: column `c` holds entries `col_starts[c]..col_starts[c + 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct MatSparse {
    /// Rows and columns.
    pub dims: [usize; 2],
    /// The row of each entry.
    pub rows: Vec<usize>,
    /// Where each column starts among the entries; one more than there are columns.
    pub col_starts: Vec<usize>,
    /// The entries.
    pub values: Numbers,
    /// The imaginary parts of a complex matrix.
    pub imaginary: Option<Numbers>,
}

/// A struct array: every element has the same fields.
#[derive(Debug, Clone, PartialEq)]
pub struct MatStruct {
    /// Dimensions (at least two).
    pub dims: Vec<usize>,
    /// Names of the fields.
    pub fields: Vec<String>,
    /// Element after element (column-major), in each field after field.
    pub(crate) values: Vec<MatValue>,
}

impl MatStruct {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field of this name in element `idx` (column-major); `None` if there is no such element or field.
    #[must_use]
    pub fn get(&self, idx: usize, field: &str) -> Option<&MatValue> {
        let f = self.fields.iter().position(|name| name == field)?;
        (idx < self.len()).then(|| self.values.get(idx * self.fields.len() + f))?
    }

    /// The position of element `idx` along each dimension.
    #[must_use]
    pub fn position(&self, idx: usize) -> Vec<usize> {
        let mut rest = idx;
        self.dims
            .iter()
            .map(|&d| {
                let at = rest % d.max(1);
                rest /= d.max(1);
                at
            })
            .collect()
    }
}

macro_rules! numbers {
    ($($variant:ident $type:ty),+) => {
        /// Numbers in the type they are stored in.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)]
        pub enum Numbers { $($variant(Vec<$type>)),+ }

        impl Numbers {
            /// How many.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(v) => v.len()),+ }
            }

            /// As `f64`; 64-bit integers beyond 2^53 are rounded.
            #[must_use]
            pub fn to_f64(&self) -> Vec<f64> {
                match self { $(Self::$variant(v) => v.iter().map(|&x| x as f64).collect()),+ }
            }

            /// As `f32`, rounded to the nearest.
            #[must_use]
            pub fn to_f32(&self) -> Vec<f32> {
                match self { $(Self::$variant(v) => v.iter().map(|&x| x as f32).collect()),+ }
            }

            pub(super) fn truncate(&mut self, len: usize) {
                match self { $(Self::$variant(v) => v.truncate(len)),+ }
            }
        }
    };
}
numbers!(I8 i8, U8 u8, I16 i16, U16 u16, I32 i32, U32 u32, I64 i64, U64 u64, F32 f32, F64 f64);

impl Numbers {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
