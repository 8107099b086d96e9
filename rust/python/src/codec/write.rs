//! Objects into Avro.

use std::sync::atomic::{AtomicUsize, Ordering};

use ferrokafka_core::codec::schema::{
    Enumeration, Field, Kind, Logical, NameId, Record, Schema, Type, TypeId, Use, MAX_DEPTH,
};
use ferrokafka_core::codec::wire;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyList, PyString, PyTuple};

use super::build::Tables;
use super::fault::{mismatch, type_name, At, Outcome, Step, What};
use super::logical;
use super::values::{float, integer, is_of, parsed_float, with_bytes, with_text, wrong};

/// A schema, ready to write objects with.
pub struct Plan {
    pub tables: Tables,
    schema: Schema,
    /// Refuse records with fields that the schema does not have, or without one that it has.
    pub strict: bool,
    /// As `strict`, but fields with a default may be missing.
    strict_allow_default: bool,
}

impl Plan {
    pub fn of(&self, id: TypeId) -> &Type {
        &self.schema.types[id]
    }

    pub fn kind(&self, id: TypeId) -> &Kind {
        &self.schema.types[id].kind
    }

    fn text(&self, name: NameId) -> &str {
        &self.tables.texts[name]
    }

    /// The name that `(name, value)` has for a branch.
    pub fn branch_name(&self, branch: Use) -> &str {
        let kind = self.kind(branch.id);
        kind.names().map_or(kind.word(), |(name, _)| self.text(name))
    }

    /// What is expected where a type stands, for messages.
    #[cold]
    pub fn expected(&self, id: TypeId) -> String {
        match (&self.of(id).kind, self.of(id).logical) {
            (Kind::Union(branches), _) => {
                let names: Vec<_> = branches.iter().map(|branch| self.short(*branch)).collect();
                if names.is_empty() {
                    "nothing".to_owned()
                } else {
                    names.join(" or ")
                }
            }
            (kind, logical) => match (logical.map(logical::word).filter(|word| !word.is_empty()), kind.names()) {
                (Some(word), _) => word.to_owned(),
                (None, Some((name, _))) => format!("{} {}", kind.word(), self.text(name)),
                (None, None) => kind.word().to_owned(),
            },
        }
    }

    fn short(&self, branch: Use) -> &str {
        match self.of(branch.id).logical.map(logical::word) {
            Some(word) if !word.is_empty() => word,
            _ => self.branch_name(branch),
        }
    }
}

/// One object on its way into bytes.
pub struct Walk<'a, 'py> {
    pub py: Python<'py>,
    pub plan: &'a Plan,
    out: Vec<u8>,
    pub depth: usize,
    /// Looking for what to say about a value that no branch of a union fits.
    pub explaining: bool,
}

impl<'a, 'py> Walk<'a, 'py> {
    #[inline]
    pub fn name(&self, name: NameId) -> &'a Bound<'py, PyString> {
        self.plan.tables.names[name].bind(self.py)
    }

    #[inline]
    pub fn put_long(&mut self, value: i64) {
        wire::put_long(&mut self.out, value);
    }

    /// Write a value. `exact`: refuse what is of another type even where it could be converted, as in a union.
    #[inline]
    pub fn value(&mut self, id: TypeId, object: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        let of = self.plan.of(id);
        match of.logical {
            None => self.plain(id, &of.kind, object, exact),
            Some(logical) => self.logical(id, of, logical, object, exact),
        }
    }

    fn logical(
        &mut self,
        id: TypeId,
        of: &'a Type,
        logical: Logical,
        object: &Bound<'py, PyAny>,
        exact: bool,
    ) -> Outcome<()> {
        match logical {
            Logical::Decimal(info) => {
                if logical::is_decimal(object)? {
                    let info = &self.plan.tables.decimals[info];
                    if let Kind::Fixed(fixed) = &of.kind {
                        let bytes = logical::decimal_bytes(info, object, Some(fixed.size))?;
                        self.out.extend_from_slice(&bytes);
                    } else {
                        let bytes = logical::decimal_bytes(info, object, None)?;
                        wire::put_bytes(&mut self.out, &bytes);
                    }
                    return Ok(());
                }
                self.plain(id, &of.kind, object, exact)
            }
            Logical::Uuid => match logical::uuid_text(object)? {
                Some(text) => self.plain(id, &of.kind, &text, exact),
                None => self.plain(id, &of.kind, object, exact),
            },
            Logical::Custom(_) => match self.prepared(id, object)? {
                Some(made) => self.plain(id, &of.kind, &made, exact),
                None => Ok(()),
            },
            number => match logical::number(number, object)? {
                Some(value) => {
                    self.put_long(value);
                    Ok(())
                }
                None => self.plain(id, &of.kind, object, exact),
            },
        }
    }

    /// Write a value that stands for itself.
    fn plain(&mut self, id: TypeId, kind: &'a Kind, object: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        if exact && is_of(kind, object)? == Some(false) {
            return self.refuse(id, kind, object);
        }
        let plan = self.plan;
        let expected = || plan.expected(id);
        match kind {
            Kind::Null => {}
            Kind::Boolean => self.out.push(u8::from(object.is_truthy()?)),
            Kind::Int | Kind::Long => self.put_long(integer(object, expected)?),
            Kind::Float => self.out.extend_from_slice(&(float(object, expected)? as f32).to_le_bytes()),
            Kind::Double => self.out.extend_from_slice(&float(object, expected)?.to_le_bytes()),
            Kind::Bytes => {
                return with_bytes(object, expected, |bytes| {
                    wire::put_bytes(&mut self.out, bytes);
                    Ok(())
                })
            }
            Kind::String => {
                return with_text(object, expected, |text| {
                    wire::put_bytes(&mut self.out, text);
                    Ok(())
                })
            }
            Kind::Fixed(fixed) => {
                return with_bytes(object, expected, |bytes| {
                    if bytes.len() != fixed.size {
                        return mismatch(format!("expected {} bytes, got {}", fixed.size, bytes.len()));
                    }
                    self.out.extend_from_slice(bytes);
                    Ok(())
                })
            }
            Kind::Enum(enumeration) => match self.symbol(enumeration, object)? {
                Some(place) => self.put_long(place as i64),
                None => return self.refuse(id, kind, object),
            },
            Kind::Union(branches) => return self.union(id, branches, object, exact),
            Kind::Array(_) | Kind::Map(_) | Kind::Record(_) => {
                if self.depth >= MAX_DEPTH {
                    return Err(What::TooDeep.into());
                }
                self.depth += 1;
                let outcome = match kind {
                    Kind::Array(items) => self.array(*items, object, exact),
                    Kind::Map(values) => self.map(*values, object, exact),
                    Kind::Record(record) => self.record(id, record, object, exact),
                    _ => Ok(()),
                };
                self.depth -= 1;
                return outcome;
            }
        }
        Ok(())
    }

    #[cold]
    fn refuse(&self, id: TypeId, kind: &Kind, object: &Bound<'py, PyAny>) -> Outcome<()> {
        match kind {
            Kind::Enum(enumeration) if object.is_instance_of::<PyString>() => {
                let known: Vec<_> = enumeration.symbols.iter().map(|symbol| self.plan.text(*symbol)).collect();
                mismatch(format!("expected one of {}, got another", known.join(", ")))
            }
            Kind::Fixed(fixed) if object.is_instance_of::<PyBytes>() => {
                mismatch(format!("expected {} bytes, got {}", fixed.size, object.len()?))
            }
            Kind::Int | Kind::Long if object.is_exact_instance_of::<pyo3::types::PyInt>() => {
                let bits = if matches!(kind, Kind::Int) { 32 } else { 64 };
                mismatch(format!("expected {}, got an int of more than {bits} bits", self.plan.expected(id)))
            }
            _ => wrong(&self.plan.expected(id), object),
        }
    }

    /// The place of a symbol: by its text, of other objects the first one they are equal to.
    pub fn symbol(&self, enumeration: &Enumeration, object: &Bound<'py, PyAny>) -> Outcome<Option<usize>> {
        if let Ok(text) = object.cast_exact::<PyString>() {
            return Ok(text.to_str().ok().and_then(|text| enumeration.places.get(text)).copied());
        }
        for (place, symbol) in enumeration.symbols.iter().enumerate() {
            if object.eq(self.name(*symbol))? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn array(&mut self, items: Use, object: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        if let Ok(list) = object.cast::<PyList>() {
            return self.items(items, list, exact);
        }
        let list = match object.cast_exact::<PyTuple>() {
            Ok(tuple) => tuple.to_list(),
            Err(_) => {
                if object.try_iter().is_err() {
                    return wrong("array", object);
                }
                self.py.get_type::<PyList>().call1((object,))?.cast_into::<PyList>().map_err(PyErr::from)?
            }
        };
        self.items(items, &list, exact)
    }

    fn items(&mut self, items: Use, list: &Bound<'py, PyList>, exact: bool) -> Outcome<()> {
        let count = list.len();
        if count > 0 {
            self.put_long(count as i64);
        }
        let doubles = matches!(self.plan.of(items.id), Type { kind: Kind::Double, logical: None, .. });
        for index in 0..count {
            let Ok(item) = list.get_item(index) else {
                return mismatch("the list became shorter while it was written".to_owned());
            };
            if doubles {
                if let Ok(number) = item.cast_exact::<PyFloat>() {
                    self.out.extend_from_slice(&number.value().to_le_bytes());
                    continue;
                }
            }
            self.value(items.id, &item, exact).at(|| Step::Index(index))?;
        }
        self.out.push(0);
        Ok(())
    }

    fn map(&mut self, values: Use, object: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        let items = match object.cast_exact::<PyDict>() {
            Ok(dict) => dict.items(),
            Err(_) => {
                let Ok(count) = object.len() else { return wrong("map", object) };
                if count == 0 {
                    self.out.push(0);
                    return Ok(());
                }
                let Ok(method) = object.getattr("items") else { return wrong("map", object) };
                let items = self.py.get_type::<PyList>().call1((method.call0()?,))?;
                items.cast_into::<PyList>().map_err(PyErr::from)?
            }
        };
        if !items.is_empty() {
            self.put_long(items.len() as i64);
        }
        for item in &items {
            let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item.extract()?;
            if exact && !key.is_instance_of::<PyString>() {
                return mismatch(format!("expected keys of a map to be str, got {}", type_name(&key)));
            }
            with_text(
                &key,
                || "keys of a map to be str".to_owned(),
                |text| {
                    wire::put_bytes(&mut self.out, text);
                    Ok(())
                },
            )?;
            self.value(values.id, &value, exact).at(|| Step::Key(key.to_string()))?;
        }
        self.out.push(0);
        Ok(())
    }

    /// What a record has for a field, or its default.
    pub fn field_value(&self, field: &Field, object: &Bound<'py, PyAny>) -> Outcome<Option<Bound<'py, PyAny>>> {
        let name = self.name(field.name);
        let found = match object.cast_exact::<PyDict>() {
            Ok(dict) => dict.get_item(name)?,
            Err(_) if object.contains(name)? => Some(object.call_method1("get", (name,))?),
            Err(_) => None,
        };
        Ok(found.or_else(|| field.default.map(|default| self.plan.tables.defaults[default].bind(self.py).clone())))
    }

    fn record(&mut self, id: TypeId, record: &'a Record, object: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        let strict = self.plan.strict || self.plan.strict_allow_default;
        if let Ok(dict) = object.cast_exact::<PyDict>() {
            if exact && !self.type_key_fits(record, object)? {
                return mismatch(format!("expected {}, got a dict with another -type", self.plan.expected(id)));
            }
            if strict {
                self.refuse_extras(record, object)?;
            }
            for field in &record.fields {
                match dict.get_item(self.name(field.name))? {
                    Some(value) => self.field(field, &value, exact),
                    None => self.absent(field, exact),
                }
                .at(|| Step::Field(field.name))?;
            }
            return Ok(());
        }
        if object.try_iter().is_err() {
            return wrong(&self.plan.expected(id), object);
        }
        if exact && !self.type_key_fits(record, object)? {
            return mismatch(format!("expected {}, got one with another -type", self.plan.expected(id)));
        }
        if strict {
            self.refuse_extras(record, object)?;
        }
        for field in &record.fields {
            let name = self.name(field.name);
            let present = object.contains(name)?;
            let Ok(get) = object.getattr("get") else { return wrong(&self.plan.expected(id), object) };
            if present { self.field(field, &get.call1((name,))?, exact) } else { self.absent(field, exact) }
                .at(|| Step::Field(field.name))?;
        }
        Ok(())
    }

    fn refuse_extras(&self, record: &Record, object: &Bound<'py, PyAny>) -> Outcome<()> {
        let mut extras = Vec::new();
        for key in object.try_iter()? {
            let key = key?;
            let known = match key.cast::<PyString>() {
                Ok(text) => {
                    let text = text.to_str()?;
                    record.fields.iter().any(|field| self.plan.text(field.name) == text)
                }
                Err(_) => false,
            };
            if !known {
                extras.push(key.to_string());
            }
        }
        if extras.is_empty() {
            return Ok(());
        }
        let name = self.plan.text(record.name);
        mismatch(format!("the record {name} has fields that its schema does not have: {}", extras.join(", ")))
    }

    #[inline]
    fn field(&mut self, field: &Field, value: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        if field.takes_float {
            let kind = self.plan.kind(field.of.id);
            if exact && is_of(kind, value)? == Some(false) {
                return wrong(kind.word(), value);
            }
            let number = parsed_float(value, || kind.word().to_owned())?;
            if matches!(kind, Kind::Float) {
                self.out.extend_from_slice(&(number as f32).to_le_bytes());
            } else {
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            return Ok(());
        }
        self.value(field.of.id, value, exact)
    }

    /// Write the default of a field that the record does not have.
    #[cold]
    fn absent(&mut self, field: &Field, exact: bool) -> Outcome<()> {
        let plan = self.plan;
        if plan.strict || (plan.strict_allow_default && field.default.is_none()) {
            return mismatch("the field is missing, and the serializer is strict".to_owned());
        }
        match field.default {
            Some(default) => self.field(field, plan.tables.defaults[default].bind(self.py), exact),
            None if !field.nullable => mismatch("the field is missing, and has no default".to_owned()),
            None => self.field(field, &self.py.None().into_bound(self.py), exact),
        }
    }
}

/// Writes objects by one schema.
#[pyclass(frozen, module = "confluent_kafka._native")]
pub struct AvroWriter {
    plan: Plan,
    raw: bool,
    /// Bytes of the last object: what to make room for.
    last: AtomicUsize,
}

#[pymethods]
impl AvroWriter {
    #[new]
    #[pyo3(signature = (schema, functions, strict=false, strict_allow_default=false, raw=false))]
    fn new(
        schema: &Bound<'_, PyAny>,
        functions: &Bound<'_, PyDict>,
        strict: bool,
        strict_allow_default: bool,
        raw: bool,
    ) -> PyResult<Self> {
        let mut tables = Tables::default();
        let schema = tables.schema(schema, functions)?;
        let plan = Plan { tables, schema, strict, strict_allow_default };
        Ok(AvroWriter { plan, raw, last: AtomicUsize::new(64) })
    }

    #[pyo3(signature = (obj, prefix, /))]
    fn write<'py>(&self, obj: &Bound<'py, PyAny>, prefix: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyBytes>> {
        let py = obj.py();
        let prefix = prefix.as_bytes();
        let mut out = Vec::with_capacity(prefix.len() + self.last.load(Ordering::Relaxed) + 32);
        out.extend_from_slice(prefix);
        let mut walk = Walk { py, plan: &self.plan, out, depth: 0, explaining: false };
        if let Err(fault) = walk.value(self.plan.schema.root.id, obj, false) {
            return Err(fault.writing(py, &self.plan.tables));
        }
        let mut out = walk.out;
        if self.raw {
            // the length goes: a payload that is nothing but bytes is the value itself
            let length = out[prefix.len()..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
            out.drain(prefix.len()..prefix.len() + length);
        }
        self.last.store(out.len(), Ordering::Relaxed);
        Ok(PyBytes::new(py, &out))
    }
}
