//! Which branch of a union a value is written as: the one that fastavro takes.
//!
//! A branch must fit in all its parts, among records the one with most fields wins. Where only one branch comes into
//! question, its parts are looked at while they are written (`exact`), which saves going through them twice.

use ferrokafka_core::codec::schema::{Kind, Logical, Record, TypeId, Use, MAX_DEPTH};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::fault::{mismatch, At, Fault, Outcome, Step, What};
use super::logical;
use super::values::{is_of, wrong};
use super::write::Walk;

impl<'py> Walk<'_, 'py> {
    pub fn union(&mut self, id: TypeId, branches: &[Use], object: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        if let Ok(pair) = object.cast::<PyTuple>() {
            return self.named_branch(branches, pair, exact);
        }
        let (mut whole, mut deep, mut count) = (None, None, 0);
        for (index, branch) in branches.iter().enumerate() {
            match self.fits(branch.id, object)? {
                Some(false) => {}
                Some(true) => {
                    whole = Some(self.float_or_double(branches, index));
                    break;
                }
                None => {
                    deep = Some(index);
                    count += 1;
                }
            }
        }
        match (whole, deep, count) {
            (Some(index), _, 0) => self.branch(branches, index, object, false),
            (None, Some(index), 1) => self.branch(branches, index, object, true),
            (None, None, _) => wrong(&self.plan.expected(id), object),
            _ => self.best_branch(id, branches, object),
        }
    }

    fn branch(&mut self, branches: &[Use], index: usize, object: &Bound<'py, PyAny>, exact: bool) -> Outcome<()> {
        self.put_long(index as i64);
        self.value(branches[index].id, object, exact)
    }

    /// A float is written as a double where a later branch is one.
    fn float_or_double(&self, branches: &[Use], index: usize) -> usize {
        if !matches!(self.plan.kind(branches[index].id), Kind::Float) {
            return index;
        }
        let is_double = |branch: &Use| matches!(self.plan.kind(branch.id), Kind::Double);
        branches[index..].iter().position(is_double).map_or(index, |later| index + later)
    }

    fn named_branch(&mut self, branches: &[Use], pair: &Bound<'py, PyTuple>, exact: bool) -> Outcome<()> {
        if pair.len() != 2 {
            return mismatch(format!("expected (name, value) for a union, got a tuple of {}", pair.len()));
        }
        let (name, value) = (pair.get_item(0)?, pair.get_item(1)?);
        let index = match name.cast::<PyString>() {
            Ok(text) => {
                let text = text.to_str()?;
                branches.iter().position(|branch| self.plan.branch_name(*branch) == text)
            }
            Err(_) => None,
        };
        let Some(index) = index else {
            let known: Vec<_> = branches.iter().map(|branch| self.plan.branch_name(*branch)).collect();
            let told = match name.cast::<PyString>() {
                Ok(text) => format!("'{text}'"),
                Err(_) => name.get_type().name()?.to_string(),
            };
            return mismatch(format!("the union has no branch {told}: there are {}", known.join(", ")));
        };
        if exact && !self.named_fits(branches[index]) {
            let name = self.plan.branch_name(branches[index]);
            return mismatch(format!("inside another union the branch {name} cannot be chosen by name"));
        }
        self.branch(branches, index, &value, exact)
    }

    /// Inside the value of another union fastavro knows records, and what is only named, by their names.
    fn named_fits(&self, branch: Use) -> bool {
        branch.by_name || matches!(self.plan.kind(branch.id), Kind::Record(record) if !record.is_error)
    }

    /// Whether a value is of a type. None: it depends on its parts.
    pub fn fits(&self, id: TypeId, object: &Bound<'py, PyAny>) -> Outcome<Option<bool>> {
        let of = self.plan.of(id);
        match of.logical {
            None => is_of(&of.kind, object),
            Some(Logical::Custom(_)) => Ok(None),
            Some(Logical::Decimal(_)) if logical::is_decimal(object)? => Ok(Some(true)),
            Some(Logical::Decimal(_)) => is_of(&of.kind, object),
            Some(Logical::Uuid) => {
                Ok(Some(object.is_instance_of::<PyString>() || logical::uuid_text(object)?.is_some()))
            }
            Some(number) => match logical::number(number, object)? {
                Some(_) => Ok(Some(true)),
                None => is_of(&of.kind, object),
            },
        }
    }

    /// The branch for a value that more than one branch may be right for.
    #[cold]
    fn best_branch(&mut self, id: TypeId, branches: &[Use], object: &Bound<'py, PyAny>) -> Outcome<()> {
        let mut object = object.clone();
        let (mut best, mut most) = (None, -1);
        for (index, branch) in branches.iter().enumerate() {
            if !self.matches(branch.id, &object)? {
                continue;
            }
            let of = self.plan.of(branch.id);
            match &of.kind {
                Kind::Record(record) if !record.is_error => {
                    if let Some(made) = self.prepared(branch.id, &object)? {
                        object = made;
                    }
                    let fields = self.fields_in(record, &object)?;
                    if fields > most {
                        (best, most) = (Some(index), fields);
                    }
                }
                _ => {
                    best = Some(self.float_or_double(branches, index));
                    break;
                }
            }
        }
        match best {
            Some(index) => self.branch(branches, index, &object, false),
            None => Err(self.nearest(id, branches, &object)),
        }
    }

    fn fields_in(&self, record: &Record, object: &Bound<'py, PyAny>) -> Outcome<i64> {
        let mut count = 0;
        for field in &record.fields {
            count += i64::from(object.contains(self.name(field.name))?);
        }
        Ok(count)
    }

    /// What is wrong with a value that no branch fits: what the branch says that came furthest.
    fn nearest(&mut self, id: TypeId, branches: &[Use], object: &Bound<'py, PyAny>) -> Box<Fault> {
        let mut found: Option<Box<Fault>> = None;
        if !self.explaining {
            self.explaining = true;
            for branch in branches {
                let Err(fault) = self.value(branch.id, object, true) else { continue };
                if matches!(fault.what, What::Mismatch(_))
                    && fault.path.len() > found.as_ref().map_or(0, |other| other.path.len())
                {
                    found = Some(fault);
                }
            }
            self.explaining = false;
        }
        found.unwrap_or_else(|| match wrong::<()>(&self.plan.expected(id), object) {
            Err(fault) => fault,
            Ok(()) => What::Mismatch(String::new()).into(),
        })
    }

    /// What the application's function for a logical type makes of a value.
    pub fn prepared(&self, id: TypeId, object: &Bound<'py, PyAny>) -> Outcome<Option<Bound<'py, PyAny>>> {
        let of = self.plan.of(id);
        let Some(Logical::Custom(function)) = of.logical else { return Ok(None) };
        let function = self.plan.tables.functions[function].bind(self.py);
        Ok(Some(function.call1((object, &self.plan.tables.sources[of.source]))?))
    }

    /// Whether a value is of a type in all its parts.
    pub fn matches(&mut self, id: TypeId, object: &Bound<'py, PyAny>) -> Outcome<bool> {
        if let Some(made) = self.prepared(id, object)? {
            let kind = self.plan.kind(id);
            return match is_of(kind, &made)? {
                Some(answer) => Ok(answer),
                None => self.parts_match(kind, &made),
            };
        }
        match self.fits(id, object)? {
            Some(answer) => Ok(answer),
            None => self.parts_match(self.plan.kind(id), object),
        }
    }

    pub fn parts_match(&mut self, kind: &Kind, object: &Bound<'py, PyAny>) -> Outcome<bool> {
        if let Kind::Union(branches) = kind {
            return self.union_matches(branches, object);
        }
        if self.depth >= MAX_DEPTH {
            return Err(What::TooDeep.into());
        }
        self.depth += 1;
        let answer = match kind {
            Kind::Enum(enumeration) => self.symbol(enumeration, object).map(|place| place.is_some()),
            Kind::Array(items) => self.items_match(*items, object),
            Kind::Map(values) => self.map_matches(*values, object),
            Kind::Record(record) => self.record_matches(record, object),
            _ => Ok(false),
        };
        self.depth -= 1;
        answer
    }

    fn items_match(&mut self, items: Use, object: &Bound<'py, PyAny>) -> Outcome<bool> {
        for (index, item) in object.try_iter()?.enumerate() {
            if !self.matches(items.id, &item?).at(|| Step::Index(index))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn map_matches(&mut self, of: Use, object: &Bound<'py, PyAny>) -> Outcome<bool> {
        for key in object.try_iter()? {
            if !key?.is_instance_of::<PyString>() {
                return Ok(false);
            }
        }
        for item in object.call_method0("values")?.try_iter()? {
            if !self.matches(of.id, &item?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn union_matches(&mut self, branches: &[Use], object: &Bound<'py, PyAny>) -> Outcome<bool> {
        if let Ok(pair) = object.cast::<PyTuple>() {
            if pair.len() != 2 {
                return mismatch(format!("expected (name, value) for a union, got a tuple of {}", pair.len()));
            }
            let (name, value) = (pair.get_item(0)?, pair.get_item(1)?);
            let Ok(name) = name.cast::<PyString>() else { return Ok(false) };
            let name = name.to_str()?;
            for branch in branches {
                if self.named_fits(*branch) && self.plan.branch_name(*branch) == name {
                    return self.matches(branch.id, &value);
                }
            }
            return Ok(false);
        }
        for branch in branches {
            if self.matches(branch.id, object)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the key `-type`, if it is there, names this record.
    pub fn type_key_fits(&self, record: &Record, object: &Bound<'py, PyAny>) -> Outcome<bool> {
        let key = pyo3::intern!(self.py, "-type");
        let told = match object.cast_exact::<PyDict>() {
            Ok(dict) => dict.get_item(key)?,
            Err(_) if object.contains(key)? => Some(object.get_item(key)?),
            Err(_) => None,
        };
        match told {
            Some(told) => Ok(told.eq(self.name(record.name))?),
            None => Ok(true),
        }
    }

    fn record_matches(&mut self, record: &Record, object: &Bound<'py, PyAny>) -> Outcome<bool> {
        if !self.type_key_fits(record, object)? {
            return Ok(false);
        }
        // what is cheap to look at first: values that differ in little else are not gone through in vain
        for simple in [true, false] {
            for field in &record.fields {
                let kind = self.plan.kind(field.of.id);
                if simple == matches!(kind, Kind::Array(_) | Kind::Map(_) | Kind::Record(_) | Kind::Union(_)) {
                    continue;
                }
                let value = match self.field_value(field, object)? {
                    Some(value) => value,
                    None if self.plan.strict => return Ok(false),
                    None => self.py.None().into_bound(self.py),
                };
                if !self.matches(field.of.id, &value).at(|| Step::Field(field.name))? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
