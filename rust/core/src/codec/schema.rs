//! Schemas as the codec sees them: types in one table, which refer to each other by their place in it.

use std::collections::HashMap;

/// A type's place in `Schema::types`.
pub type TypeId = usize;
/// A text's place in the table of names that the schemas of one plan share: equal texts have equal ids.
pub type NameId = usize;
/// Whoever makes the schema keeps the values of defaults; this is one's place there.
pub type DefaultId = usize;

/// Types nest no deeper than this, and neither do values: each level takes room on the stack.
pub const MAX_DEPTH: usize = 500;

/// How a type is used somewhere: `by_name` if only its name is written there (a primitive's as well).
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub id: TypeId,
    pub by_name: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    Date,
    TimeMillis,
    TimeMicros,
    TimestampMillis,
    TimestampMicros,
    LocalTimestampMillis,
    LocalTimestampMicros,
    /// Index of what is known about the decimal.
    Decimal(usize),
    Uuid,
    /// Index of the application's own functions.
    Custom(usize),
}

impl Logical {
    /// The one with this name on this type. Decimals and the application's own have parameters.
    pub fn named(kind: &Kind, name: &str) -> Option<Self> {
        Some(match (kind, name) {
            (Kind::Int, "date") => Logical::Date,
            (Kind::Int, "time-millis") => Logical::TimeMillis,
            (Kind::Long, "time-micros") => Logical::TimeMicros,
            (Kind::Long, "timestamp-millis") => Logical::TimestampMillis,
            (Kind::Long, "timestamp-micros") => Logical::TimestampMicros,
            (Kind::Long, "local-timestamp-millis") => Logical::LocalTimestampMillis,
            (Kind::Long, "local-timestamp-micros") => Logical::LocalTimestampMicros,
            (Kind::String, "uuid") => Logical::Uuid,
            _ => return None,
        })
    }
}

#[derive(Debug)]
pub struct Field {
    pub name: NameId,
    pub of: Use,
    pub aliases: Vec<NameId>,
    pub default: Option<DefaultId>,
    /// May be missing without a default: null is among what its type names.
    pub nullable: bool,
    /// Any object that makes a float may be given.
    pub takes_float: bool,
}

#[derive(Debug)]
pub struct Record {
    pub name: NameId,
    pub aliases: Vec<NameId>,
    pub fields: Vec<Field>,
    pub is_error: bool,
}

#[derive(Debug)]
pub struct Enumeration {
    pub name: NameId,
    pub aliases: Vec<NameId>,
    pub symbols: Vec<NameId>,
    pub places: HashMap<Box<str>, usize>,
    pub default: Option<NameId>,
}

#[derive(Debug)]
pub struct Fixed {
    pub name: NameId,
    pub aliases: Vec<NameId>,
    pub size: usize,
}

#[derive(Debug)]
pub enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(Fixed),
    Enum(Enumeration),
    Array(Use),
    Map(Use),
    Union(Vec<Use>),
    Record(Record),
}

impl Kind {
    pub fn primitive(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "bytes" => Kind::Bytes,
            "string" => Kind::String,
            _ => return None,
        })
    }

    /// The word that schemas have for it.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Fixed(_) => "fixed",
            Kind::Enum(_) => "enum",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(record) if record.is_error => "error",
            Kind::Record(_) => "record",
        }
    }

    /// Name and aliases of a named type.
    pub fn names(&self) -> Option<(NameId, &[NameId])> {
        match self {
            Kind::Fixed(fixed) => Some((fixed.name, &fixed.aliases)),
            Kind::Enum(enumeration) => Some((enumeration.name, &enumeration.aliases)),
            Kind::Record(record) => Some((record.name, &record.aliases)),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub struct Type {
    pub kind: Kind,
    pub logical: Option<Logical>,
    /// What the maker of the schema knows it by.
    pub source: usize,
}

#[derive(Debug)]
pub struct Schema {
    pub types: Vec<Type>,
    pub root: Use,
}

impl Schema {
    pub fn kind(&self, id: TypeId) -> &Kind {
        &self.types[id].kind
    }
}
