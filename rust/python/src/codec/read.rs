//! Avro into objects.

use ferrokafka_core::codec::resolve::{ReadRecord, Reading, Step as Read, StepId, Symbol};
use ferrokafka_core::codec::schema::{Logical, NameId, MAX_DEPTH};
use ferrokafka_core::codec::wire::{Input, Stop};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use super::build::Tables;
use super::fault::{At, Outcome, Step, What};
use super::logical;

/// Room for items that is made before the first one is read.
const ROOM: usize = 1024;

struct Walk<'a, 'py> {
    py: Python<'py>,
    tables: &'a Tables,
    reading: &'a Reading,
    input: Input<'a>,
    depth: usize,
}

impl<'a, 'py> Walk<'a, 'py> {
    #[inline]
    fn name(&self, name: NameId) -> &'a Bound<'py, PyString> {
        self.tables.names[name].bind(self.py)
    }

    #[inline]
    fn value(&mut self, id: StepId) -> Outcome<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match &self.reading.steps[id] {
            Read::Null => py.None().into_bound(py),
            Read::Boolean => PyBool::new(py, self.input.take(1)?[0] != 0).to_owned().into_any(),
            Read::Long => PyInt::new(py, self.input.long()?).into_any(),
            Read::LongAsFloat => PyFloat::new(py, self.input.long()? as f64).into_any(),
            Read::Float => PyFloat::new(py, f64::from(f32::from_le_bytes(self.input.array()?))).into_any(),
            Read::Double => PyFloat::new(py, f64::from_le_bytes(self.input.array()?)).into_any(),
            Read::Bytes | Read::StringAsBytes => PyBytes::new(py, self.input.bytes()?).into_any(),
            Read::String | Read::BytesAsString => PyString::from_bytes(py, self.input.bytes()?)?.into_any(),
            Read::Fixed(size) => PyBytes::new(py, self.input.take(*size)?).into_any(),
            Read::Enum(symbols) => self.symbol(symbols)?,
            Read::Union(branches) => {
                let index = self.input.long()?;
                let Some(branch) = usize::try_from(index).ok().and_then(|index| branches.get(index)) else {
                    return Err(What::Corrupt("a union's branch that there is not".to_owned()).into());
                };
                let value = self.value(branch.step)?;
                match branch.name {
                    None => value,
                    Some(name) => (self.name(name), value).into_pyobject(py)?.into_any(),
                }
            }
            Read::Logical { logical, of, written, wanted } => self.logical(*logical, *of, *written, *wanted)?,
            Read::Fail(text) => return Err(What::Unresolvable(text.clone()).into()),
            Read::Array(_) | Read::Map(_) | Read::Record(_) => self.container(id)?,
        })
    }

    fn container(&mut self, id: StepId) -> Outcome<Bound<'py, PyAny>> {
        if self.depth >= MAX_DEPTH {
            return Err(What::TooDeep.into());
        }
        self.depth += 1;
        let value = match &self.reading.steps[id] {
            Read::Array(items) => self.array(*items),
            Read::Map(values) => self.map(*values),
            Read::Record(record) => self.record(id, record),
            _ => self.value(id),
        };
        self.depth -= 1;
        value
    }

    fn symbol(&mut self, symbols: &[Symbol]) -> Outcome<Bound<'py, PyAny>> {
        let place = self.input.long()?;
        match usize::try_from(place).ok().and_then(|place| symbols.get(place)) {
            Some(Symbol::Known(name)) => Ok(self.name(*name).clone().into_any()),
            Some(Symbol::Unknown(name)) => {
                let text = &self.tables.texts[*name];
                Err(What::Unresolvable(format!("the reader's enum has no symbol {text}, and no default")).into())
            }
            None => Err(What::Corrupt("an enum's symbol that there is not".to_owned()).into()),
        }
    }

    fn array(&mut self, items: StepId) -> Outcome<Bound<'py, PyAny>> {
        let least = self.reading.sizes[items].least;
        let mut found: Vec<Bound<'py, PyAny>> = Vec::new();
        loop {
            let (count, _) = self.input.block(least)?;
            if count == 0 {
                break;
            }
            if least == 0 {
                self.input.spend(count)?;
            }
            found.reserve(count.min(ROOM));
            if matches!(self.reading.steps[items], Read::Double) {
                for _ in 0..count {
                    found.push(PyFloat::new(self.py, f64::from_le_bytes(self.input.array()?)).into_any());
                }
                continue;
            }
            for _ in 0..count {
                let item = self.value(items).at(|| Step::Index(found.len()))?;
                found.push(item);
            }
        }
        Ok(PyList::new(self.py, found)?.into_any())
    }

    fn map(&mut self, values: StepId) -> Outcome<Bound<'py, PyAny>> {
        let least = self.reading.sizes[values].least.saturating_add(1);
        let found = PyDict::new(self.py);
        loop {
            let (count, _) = self.input.block(least)?;
            if count == 0 {
                return Ok(found.into_any());
            }
            for _ in 0..count {
                let key = PyString::from_bytes(self.py, self.input.bytes()?)?;
                let value = self.value(values).at(|| Step::Key(key.to_string()))?;
                found.set_item(key, value)?;
            }
        }
    }

    fn record(&mut self, id: StepId, record: &'a ReadRecord) -> Outcome<Bound<'py, PyAny>> {
        if self.reading.sizes[id].least == 0 {
            self.input.spend(1)?;
        }
        let found = PyDict::new(self.py);
        for field in &record.fields {
            match field.name {
                Some(name) => {
                    let value = self.value(field.step).at(|| Step::Field(field.written_as))?;
                    found.set_item(self.name(name), value)?;
                }
                None => self.skip(field.step).at(|| Step::Field(field.written_as))?,
            }
        }
        if let Some(text) = &record.lacks {
            return Err(What::Unresolvable(text.clone()).into());
        }
        for (name, default) in &record.defaults {
            found.set_item(self.name(*name), copied(self.tables.defaults[*default].bind(self.py))?)?;
        }
        Ok(found.into_any())
    }

    fn logical(
        &mut self,
        logical: Logical,
        of: StepId,
        written: usize,
        wanted: Option<usize>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let py = self.py;
        match logical {
            Logical::Decimal(info) => {
                let bytes = match &self.reading.steps[of] {
                    Read::Fixed(size) => self.input.take(*size)?,
                    _ => self.input.bytes()?,
                };
                logical::decimal_of(py, &self.tables.decimals[info], bytes)
            }
            Logical::Uuid => {
                let text = self.value(of)?;
                logical::uuid_of(py, &text)
            }
            Logical::Custom(function) => {
                let value = self.value(of)?;
                let function = self.tables.functions[function].bind(py);
                let source = |place: usize| self.tables.sources[place].bind(py);
                Ok(function.call1((value, source(written), wanted.map(source)))?)
            }
            number => {
                let value = self.input.long()?;
                Ok(logical::value_of(py, number, value)?.into_bound(py))
            }
        }
    }

    /// Pass a value over. What has no field in the result was resolved without a reader's schema.
    fn skip(&mut self, id: StepId) -> Outcome<()> {
        if let Some(size) = self.reading.sizes[id].exact {
            if let Read::Fail(text) = &self.reading.steps[id] {
                return Err(What::Unresolvable(text.clone()).into());
            }
            self.input.take(size)?;
            return Ok(());
        }
        match &self.reading.steps[id] {
            Read::Long | Read::LongAsFloat | Read::Enum(_) => {
                self.input.long()?;
                Ok(())
            }
            Read::Bytes | Read::String | Read::BytesAsString | Read::StringAsBytes => {
                self.input.bytes()?;
                Ok(())
            }
            Read::Logical { of, .. } => self.skip(*of),
            Read::Union(branches) => {
                let index = self.input.long()?;
                match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
                    Some(branch) => self.skip(branch.step),
                    None => Err(What::Corrupt("a union's branch that there is not".to_owned()).into()),
                }
            }
            _ => {
                if self.depth >= MAX_DEPTH {
                    return Err(What::TooDeep.into());
                }
                self.depth += 1;
                let outcome = self.skip_container(id);
                self.depth -= 1;
                outcome
            }
        }
    }

    fn skip_container(&mut self, id: StepId) -> Outcome<()> {
        match &self.reading.steps[id] {
            Read::Record(record) => {
                if self.reading.sizes[id].least == 0 {
                    self.input.spend(1)?;
                }
                for field in &record.fields {
                    self.skip(field.step).at(|| Step::Field(field.written_as))?;
                }
                Ok(())
            }
            Read::Array(items) => self.skip_items(*items, false),
            Read::Map(values) => self.skip_items(*values, true),
            _ => Ok(()),
        }
    }

    fn skip_items(&mut self, items: StepId, keyed: bool) -> Outcome<()> {
        let size = self.reading.sizes[items];
        let least = size.least.saturating_add(usize::from(keyed));
        loop {
            let (count, bytes) = self.input.block(least)?;
            if count == 0 {
                return Ok(());
            }
            if let Some(bytes) = bytes {
                self.input.take(bytes)?;
            } else if let (false, Some(each)) = (keyed, size.exact) {
                let all = count.checked_mul(each).ok_or(Stop::Truncated)?;
                self.input.take(all)?;
            } else {
                if least == 0 {
                    self.input.spend(count)?;
                }
                for _ in 0..count {
                    if keyed {
                        self.input.bytes()?;
                    }
                    self.skip(items)?;
                }
            }
        }
    }
}

/// A default of its own for each object: what one reader of messages changes is not in the next one.
fn copied<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(list) = value.cast::<PyList>() {
        let items = list.iter().map(|item| copied(&item)).collect::<PyResult<Vec<_>>>()?;
        return Ok(PyList::new(value.py(), items)?.into_any());
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let made = PyDict::new(value.py());
        for pair in dict.items() {
            let (key, item): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair.extract()?;
            made.set_item(key, copied(&item)?)?;
        }
        return Ok(made.into_any());
    }
    Ok(value.clone())
}

/// Reads objects written by one schema, as that or another one has them.
#[pyclass(frozen, module = "confluent_kafka._native")]
pub struct AvroReader {
    tables: Tables,
    reading: Reading,
    raw: bool,
}

#[pymethods]
impl AvroReader {
    #[new]
    #[pyo3(signature = (writer, reader, functions, return_record_name=false, raw=false))]
    fn new(
        writer: &Bound<'_, PyAny>,
        reader: Option<&Bound<'_, PyAny>>,
        functions: &Bound<'_, PyDict>,
        return_record_name: bool,
        raw: bool,
    ) -> PyResult<Self> {
        let mut tables = Tables::default();
        let writer = tables.schema(writer, functions)?;
        let reader = reader.map(|reader| tables.schema(reader, functions)).transpose()?;
        let reading = Reading::new(&writer, reader.as_ref(), &tables.texts, return_record_name)
            .map_err(pyo3::exceptions::PyValueError::new_err)?;
        Ok(AvroReader { tables, reading, raw })
    }

    #[pyo3(signature = (data, start, /))]
    fn read<'py>(&self, data: &Bound<'py, PyBytes>, start: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let bytes = data.as_bytes();
        let input = Input::new(bytes.get(start..).unwrap_or_default(), self.raw);
        let mut walk = Walk { py, tables: &self.tables, reading: &self.reading, input, depth: 0 };
        walk.value(self.reading.root).map_err(|fault| fault.reading(py, &self.tables))
    }
}
