//! A plan's tables out of the Python objects that fastavro's parser makes of a schema.

use std::collections::HashMap;

use ferrokafka_core::codec::schema::{
    Enumeration, Field, Fixed, Kind, Logical, NameId, Record, Schema, Type, TypeId, Use, MAX_DEPTH,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// What is known about a decimal.
pub struct Decimal {
    pub precision: Option<usize>,
    pub scale: usize,
}

/// The Python objects that schemas refer to by number. The schemas of one plan share them.
#[derive(Default)]
pub struct Tables {
    places: HashMap<Box<str>, NameId>,
    pub texts: Vec<Box<str>>,
    /// The texts as interned `str` objects.
    pub names: Vec<Py<PyString>>,
    /// Values of defaults, as JSON has them.
    pub defaults: Vec<Py<PyAny>>,
    /// The types as parsed.
    pub sources: Vec<Py<PyAny>>,
    pub decimals: Vec<Decimal>,
    /// Functions of logical types that the application has added to fastavro.
    pub functions: Vec<Py<PyAny>>,
}

impl Tables {
    pub fn name(&mut self, py: Python<'_>, text: &str) -> NameId {
        if let Some(id) = self.places.get(text) {
            return *id;
        }
        let id = self.texts.len();
        self.texts.push(text.into());
        self.names.push(PyString::intern(py, text).unbind());
        self.places.insert(text.into(), id);
        id
    }

    /// Take over a parsed schema. `functions` has the application's functions by type and logical type, as in
    /// `int-celsius`.
    pub fn schema<'py>(&mut self, parsed: &Bound<'py, PyAny>, functions: &Bound<'py, PyDict>) -> PyResult<Schema> {
        let mut builder = Builder { tables: self, functions, types: Vec::new(), named: HashMap::new() };
        let root = builder.usage(parsed, 0)?;
        let types = builder.types.into_iter().flatten().collect();
        Ok(Schema { types, root })
    }
}

struct Builder<'a, 'py> {
    tables: &'a mut Tables,
    functions: &'a Bound<'py, PyDict>,
    /// None: a type that is being looked at.
    types: Vec<Option<Type>>,
    named: HashMap<String, TypeId>,
}

fn required<'py>(schema: &Bound<'py, PyDict>, key: &str) -> PyResult<Bound<'py, PyAny>> {
    schema.get_item(key)?.ok_or_else(|| PyValueError::new_err(format!("the Avro schema has a type without {key:?}")))
}

/// What `"null" in schema` is in Python.
fn names_null(schema: &Bound<'_, PyAny>) -> PyResult<bool> {
    schema.contains("null")
}

impl<'py> Builder<'_, 'py> {
    fn usage(&mut self, schema: &Bound<'py, PyAny>, depth: usize) -> PyResult<Use> {
        if depth > MAX_DEPTH {
            return Err(PyValueError::new_err(format!("the Avro schema is nested more than {MAX_DEPTH} levels deep")));
        }
        if let Ok(text) = schema.cast::<PyString>() {
            let text = text.to_str()?;
            if let Some(id) = self.named.get(text) {
                return Ok(Use { id: *id, by_name: true });
            }
            let Some(kind) = Kind::primitive(text) else {
                return Err(PyValueError::new_err(format!("the Avro schema uses an unknown type: {text}")));
            };
            let id = self.add(kind, None, schema);
            self.named.insert(text.to_owned(), id);
            return Ok(Use { id, by_name: true });
        }
        if let Ok(branches) = schema.cast::<PyList>() {
            let id = self.reserve();
            let branches = branches.iter().map(|branch| self.usage(&branch, depth + 1)).collect::<PyResult<_>>()?;
            return Ok(self.fill(id, Kind::Union(branches), None, schema));
        }
        let Ok(dict) = schema.cast::<PyDict>() else {
            return Err(PyValueError::new_err("the Avro schema has something other than a type where one belongs"));
        };
        let id = self.reserve();
        let word: String = required(dict, "type")?.extract()?;
        let kind = self.kind(&word, dict, id, depth)?;
        let logical = self.logical(&word, &kind, dict)?;
        Ok(self.fill(id, kind, logical, schema))
    }

    fn reserve(&mut self) -> TypeId {
        self.types.push(None);
        self.types.len() - 1
    }

    fn fill(&mut self, id: TypeId, kind: Kind, logical: Option<Logical>, schema: &Bound<'py, PyAny>) -> Use {
        self.tables.sources.push(schema.clone().unbind());
        self.types[id] = Some(Type { kind, logical, source: self.tables.sources.len() - 1 });
        Use { id, by_name: false }
    }

    fn add(&mut self, kind: Kind, logical: Option<Logical>, schema: &Bound<'py, PyAny>) -> TypeId {
        let id = self.reserve();
        self.fill(id, kind, logical, schema);
        id
    }

    fn kind(&mut self, word: &str, schema: &Bound<'py, PyDict>, id: TypeId, depth: usize) -> PyResult<Kind> {
        Ok(match word {
            "array" => Kind::Array(self.usage(&required(schema, "items")?, depth + 1)?),
            "map" => Kind::Map(self.usage(&required(schema, "values")?, depth + 1)?),
            "fixed" => {
                let (name, aliases) = self.named(schema, id)?;
                let size = required(schema, "size")?.extract()?;
                Kind::Fixed(Fixed { name, aliases, size })
            }
            "enum" => {
                let (name, aliases) = self.named(schema, id)?;
                let texts: Vec<String> = required(schema, "symbols")?.extract()?;
                let py = schema.py();
                let symbols = texts.iter().map(|text| self.tables.name(py, text)).collect();
                let mut places = HashMap::new();
                for (place, text) in texts.iter().enumerate() {
                    places.entry(text.as_str().into()).or_insert(place);
                }
                let default = match schema.get_item("default")? {
                    Some(text) if text.is_truthy()? => Some(self.tables.name(py, &text.extract::<String>()?)),
                    _ => None,
                };
                Kind::Enum(Enumeration { name, aliases, symbols, places, default })
            }
            "record" | "error" => {
                let (name, aliases) = self.named(schema, id)?;
                let fields = required(schema, "fields")?;
                let fields = fields.cast::<PyList>()?;
                let fields = fields.iter().map(|field| self.field(&field, depth)).collect::<PyResult<_>>()?;
                Kind::Record(Record { name, aliases, fields, is_error: word == "error" })
            }
            _ => Kind::primitive(word)
                .ok_or_else(|| PyValueError::new_err(format!("the Avro schema has an unknown type: {word}")))?,
        })
    }

    fn named(&mut self, schema: &Bound<'py, PyDict>, id: TypeId) -> PyResult<(NameId, Vec<NameId>)> {
        let name: String = required(schema, "name")?.extract()?;
        let place = self.tables.name(schema.py(), &name);
        self.named.insert(name, id);
        Ok((place, self.aliases(schema)?))
    }

    fn aliases(&mut self, schema: &Bound<'py, PyDict>) -> PyResult<Vec<NameId>> {
        let Some(aliases) = schema.get_item("aliases")? else { return Ok(Vec::new()) };
        let aliases: Vec<String> = aliases.extract()?;
        Ok(aliases.iter().map(|alias| self.tables.name(schema.py(), alias)).collect())
    }

    fn field(&mut self, field: &Bound<'py, PyAny>, depth: usize) -> PyResult<Field> {
        let field = field.cast::<PyDict>()?;
        let name: String = required(field, "name")?.extract()?;
        let kind = required(field, "type")?;
        let default = field.get_item("default")?.map(|value| {
            self.tables.defaults.push(value.unbind());
            self.tables.defaults.len() - 1
        });
        let of = self.usage(&kind, depth + 1)?;
        let takes_float = matches!(kind.extract::<&str>(), Ok("float" | "double"));
        Ok(Field {
            name: self.tables.name(field.py(), &name),
            of,
            aliases: self.aliases(field)?,
            default,
            nullable: names_null(&kind)?,
            takes_float,
        })
    }

    fn logical(&mut self, word: &str, kind: &Kind, schema: &Bound<'py, PyDict>) -> PyResult<Option<Logical>> {
        let Some(name) = schema.get_item("logicalType")? else { return Ok(None) };
        if !name.is_truthy()? {
            return Ok(None);
        }
        let name = name.str()?;
        let name = name.to_str()?;
        if let Some(function) = self.functions.get_item(format!("{word}-{name}"))? {
            self.tables.functions.push(function.unbind());
            return Ok(Some(Logical::Custom(self.tables.functions.len() - 1)));
        }
        if name == "decimal" && matches!(kind, Kind::Bytes | Kind::Fixed(_)) {
            let number = |key| -> PyResult<Option<usize>> {
                Ok(schema.get_item(key)?.and_then(|value: Bound<'_, PyAny>| value.extract().ok()))
            };
            let (precision, scale) = (number("precision")?, number("scale")?.unwrap_or(0));
            self.tables.decimals.push(Decimal { precision, scale });
            return Ok(Some(Logical::Decimal(self.tables.decimals.len() - 1)));
        }
        Ok(Logical::named(kind, name))
    }
}
