//! Reading what was written with one schema as another has it: decided once, as steps to take for each value.
//!
//! What fits what, and which branch of a union is taken, is as in fastavro: the first branch that matches, named types
//! by their names without namespaces or an alias. Two schemas that do not fit may still read some data, so a mismatch is
//! a step (`Fail`) that stops the reading that comes to it.

use std::collections::HashMap;

use super::schema::{DefaultId, Field, Kind, Logical, NameId, Record, Schema, TypeId, Use, MAX_DEPTH};

/// A step's place in `Reading::steps`.
pub type StepId = usize;

#[derive(Debug)]
pub enum Symbol {
    Known(NameId),
    /// The reader's schema has neither this symbol nor a default.
    Unknown(NameId),
}

#[derive(Debug)]
pub struct Branch {
    pub step: StepId,
    /// The name to hand out with the value.
    pub name: Option<NameId>,
}

#[derive(Debug)]
pub struct ReadField {
    /// What the field is called in the result; None to pass it over.
    pub name: Option<NameId>,
    /// What the writer calls it.
    pub written_as: NameId,
    pub step: StepId,
}

#[derive(Debug)]
pub struct ReadRecord {
    pub fields: Vec<ReadField>,
    /// Fields that only the reader's schema has.
    pub defaults: Vec<(NameId, DefaultId)>,
    /// Why no such record can be read, when the rest of it has been.
    pub lacks: Option<String>,
}

#[derive(Debug)]
pub enum Step {
    Null,
    Boolean,
    Long,
    LongAsFloat,
    Float,
    Double,
    Bytes,
    BytesAsString,
    String,
    StringAsBytes,
    Fixed(usize),
    Enum(Vec<Symbol>),
    Array(StepId),
    Map(StepId),
    Union(Vec<Branch>),
    Record(ReadRecord),
    /// What `of` reads, made into something else; with the sources of the writer's and the reader's type.
    Logical {
        logical: Logical,
        of: StepId,
        written: usize,
        wanted: Option<usize>,
    },
    Fail(String),
}

/// Bytes that a value takes: at least, and exactly if it is always the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub least: usize,
    pub exact: Option<usize>,
}

const VARIABLE: Size = Size { least: 1, exact: None };

/// The steps for one pair of schemas.
#[derive(Debug)]
pub struct Reading {
    pub steps: Vec<Step>,
    pub sizes: Vec<Size>,
    pub root: StepId,
}

impl Reading {
    /// `texts` are the names of both schemas. With `record_names`, records in unions come with their names.
    pub fn new(
        writer: &Schema,
        reader: Option<&Schema>,
        texts: &[Box<str>],
        record_names: bool,
    ) -> Result<Self, String> {
        let mut resolver = Resolver { writer, reader, texts, record_names, steps: Vec::new(), known: HashMap::new() };
        let root = resolver.step(writer.root, reader.map(|schema| schema.root), 0)?;
        let steps = resolver.steps;
        let mut sizes = vec![None; steps.len()];
        for id in 0..steps.len() {
            measure(&steps, &mut sizes, id);
        }
        let sizes = sizes.into_iter().map(|size| size.unwrap_or(VARIABLE)).collect();
        Ok(Reading { steps, sizes, root })
    }
}

struct Resolver<'a> {
    writer: &'a Schema,
    reader: Option<&'a Schema>,
    texts: &'a [Box<str>],
    record_names: bool,
    steps: Vec<Step>,
    known: HashMap<(TypeId, Option<TypeId>), StepId>,
}

fn unqualified(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

impl<'a> Resolver<'a> {
    fn add(&mut self, step: Step) -> StepId {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn wanted(&self, id: TypeId) -> &'a Kind {
        self.reader.expect("a type of the reader's schema").kind(id)
    }

    fn describe(&self, kind: &Kind) -> String {
        match kind.names() {
            Some((name, _)) => format!("{} {}", kind.word(), self.texts[name]),
            None => kind.word().to_owned(),
        }
    }

    /// Whether a value of one type can be read as the other.
    fn fits(&self, written: TypeId, wanted: TypeId) -> bool {
        let (w, r) = (self.writer.kind(written), self.wanted(wanted));
        match (w, r) {
            (Kind::Union(_), _) | (_, Kind::Union(_)) => true,
            (Kind::Array(w), Kind::Array(r)) | (Kind::Map(w), Kind::Map(r)) => self.fits(w.id, r.id),
            (Kind::Fixed(w), Kind::Fixed(r)) if w.size != r.size => false,
            (Kind::Int, Kind::Long | Kind::Float | Kind::Double)
            | (Kind::Long, Kind::Float | Kind::Double)
            | (Kind::Float, Kind::Double)
            | (Kind::String, Kind::Bytes)
            | (Kind::Bytes, Kind::String) => true,
            _ => match (w.names(), r.names()) {
                (Some((written, _)), Some((wanted, aliases))) => {
                    std::mem::discriminant(w) == std::mem::discriminant(r) && self.same_name(written, wanted, aliases)
                }
                (None, None) => std::mem::discriminant(w) == std::mem::discriminant(r),
                _ => false,
            },
        }
    }

    fn same_name(&self, written: NameId, wanted: NameId, aliases: &[NameId]) -> bool {
        let full = &*self.texts[written];
        let short = unqualified(full);
        short == unqualified(&self.texts[wanted])
            || aliases.iter().map(|alias| &*self.texts[*alias]).any(|alias| alias == full || alias == short)
    }

    fn mismatch(&mut self, written: TypeId, wanted: TypeId) -> StepId {
        let text = format!(
            "{} cannot be read as {}",
            self.describe(self.writer.kind(written)),
            self.describe(self.wanted(wanted))
        );
        self.add(Step::Fail(text))
    }

    /// The step that reads a type of the writer's schema, as the reader's type if there is one.
    fn step(&mut self, written: Use, wanted: Option<Use>, depth: usize) -> Result<StepId, String> {
        if depth > MAX_DEPTH {
            return Err(format!("the schema is nested more than {MAX_DEPTH} levels deep"));
        }
        let key = (written.id, wanted.map(|wanted| wanted.id));
        if let Some(step) = self.known.get(&key) {
            return Ok(*step);
        }
        let of = &self.writer.types[written.id];
        if let (Some(want), false) = (wanted, matches!(of.kind, Kind::Union(_))) {
            if let Kind::Union(branches) = self.wanted(want.id) {
                return match branches.iter().find(|branch| self.fits(written.id, branch.id)) {
                    Some(branch) => self.step(written, Some(*branch), depth + 1),
                    None => Ok(self.mismatch(written.id, want.id)),
                };
            }
            if !self.fits(written.id, want.id) {
                return Ok(self.mismatch(written.id, want.id));
            }
        }
        // reserved before its parts are looked at: they may contain it
        let place = self.add(Step::Null);
        self.known.insert(key, place);
        let wanted_kind = wanted.map(|wanted| self.wanted(wanted.id));
        let plain = of.logical.is_some();
        let step = match (&of.kind, wanted_kind) {
            (Kind::Int | Kind::Long, Some(Kind::Float | Kind::Double)) if !plain => Step::LongAsFloat,
            (Kind::String, Some(Kind::Bytes)) if !plain => Step::StringAsBytes,
            (Kind::Bytes, Some(Kind::String)) if !plain => Step::BytesAsString,
            (Kind::Null, _) => Step::Null,
            (Kind::Boolean, _) => Step::Boolean,
            (Kind::Int | Kind::Long, _) => Step::Long,
            (Kind::Float, _) => Step::Float,
            (Kind::Double, _) => Step::Double,
            (Kind::Bytes, _) => Step::Bytes,
            (Kind::String, _) => Step::String,
            (Kind::Fixed(fixed), _) => Step::Fixed(fixed.size),
            (Kind::Enum(written), wanted) => Step::Enum(
                written
                    .symbols
                    .iter()
                    .map(|symbol| match wanted {
                        Some(Kind::Enum(wanted)) if !wanted.symbols.contains(symbol) => {
                            wanted.default.map_or(Symbol::Unknown(*symbol), Symbol::Known)
                        }
                        _ => Symbol::Known(*symbol),
                    })
                    .collect(),
            ),
            (Kind::Array(items), wanted) => {
                let wanted = wanted.and_then(|kind| if let Kind::Array(items) = kind { Some(*items) } else { None });
                Step::Array(self.step(*items, wanted, depth + 1)?)
            }
            (Kind::Map(values), wanted) => {
                let wanted = wanted.and_then(|kind| if let Kind::Map(values) = kind { Some(*values) } else { None });
                Step::Map(self.step(*values, wanted, depth + 1)?)
            }
            (Kind::Union(branches), _) => Step::Union(
                branches.iter().map(|branch| self.branch(*branch, wanted, depth)).collect::<Result<_, String>>()?,
            ),
            (Kind::Record(record), Some(Kind::Record(as_record))) => {
                Step::Record(self.record_as(record, as_record, depth)?)
            }
            (Kind::Record(record), _) => Step::Record(self.record(record, depth)?),
        };
        self.steps[place] = match of.logical {
            None => step,
            Some(logical) => {
                let of_step = self.add(step);
                let wanted = wanted.map(|wanted| self.reader.expect("as above").types[wanted.id].source);
                Step::Logical { logical, of: of_step, written: of.source, wanted }
            }
        };
        Ok(place)
    }

    fn branch(&mut self, written: Use, wanted: Option<Use>, depth: usize) -> Result<Branch, String> {
        let mut chosen = None;
        let step = match wanted {
            None => self.step(written, None, depth + 1)?,
            Some(want) => {
                let reader = match self.wanted(want.id) {
                    Kind::Union(branches) => {
                        chosen = branches.iter().find(|branch| self.fits(written.id, branch.id)).copied();
                        chosen
                    }
                    _ => self.fits(written.id, want.id).then_some(want),
                };
                match reader {
                    Some(reader) => self.step(written, Some(reader), depth + 1)?,
                    None => self.mismatch(written.id, want.id),
                }
            }
        };
        let kind = self.writer.kind(written.id);
        // a type that is only named counts as a record whatever it is
        let told = self.record_names && (written.by_name || matches!(kind, Kind::Record(record) if !record.is_error));
        let own = kind.names().map(|(name, _)| name);
        let name = match (told, own) {
            (true, Some(own)) => chosen.and_then(|chosen| self.wanted(chosen.id).names()).map(|n| n.0).or(Some(own)),
            _ => None,
        };
        Ok(Branch { step, name })
    }

    fn record(&mut self, record: &Record, depth: usize) -> Result<ReadRecord, String> {
        let mut fields = Vec::with_capacity(record.fields.len());
        for field in &record.fields {
            let step = self.step(field.of, None, depth + 1)?;
            fields.push(ReadField { name: Some(field.name), written_as: field.name, step });
        }
        Ok(ReadRecord { fields, defaults: Vec::new(), lacks: None })
    }

    fn record_as(&mut self, written: &Record, wanted: &Record, depth: usize) -> Result<ReadRecord, String> {
        let mut fields = Vec::with_capacity(written.fields.len());
        let mut missing: Vec<&Field> = wanted.fields.iter().collect();
        for field in &written.fields {
            let target = wanted
                .fields
                .iter()
                .rfind(|wanted| wanted.name == field.name)
                .or_else(|| wanted.fields.iter().rfind(|wanted| wanted.aliases.contains(&field.name)));
            let Some(target) = target else {
                let step = self.step(field.of, None, depth + 1)?;
                fields.push(ReadField { name: None, written_as: field.name, step });
                continue;
            };
            let before = missing.len();
            missing.retain(|other| other.name != target.name);
            let step = if missing.len() == before {
                let text = format!("two fields would be read as {}", self.texts[target.name]);
                self.add(Step::Fail(text))
            } else {
                self.step(field.of, Some(target.of), depth + 1)?
            };
            fields.push(ReadField { name: Some(target.name), written_as: field.name, step });
        }
        let lacks = missing.iter().find(|field| field.default.is_none()).map(|field| {
            format!("No default value for field {} in {}", self.texts[field.name], self.texts[wanted.name])
        });
        let defaults = missing.iter().filter_map(|field| field.default.map(|default| (field.name, default))).collect();
        Ok(ReadRecord { fields, defaults, lacks })
    }
}

/// A lower bound where a type contains itself: what is being measured counts as nothing.
fn measure(steps: &[Step], sizes: &mut [Option<Size>], id: StepId) -> Size {
    if let Some(size) = sizes[id] {
        return size;
    }
    sizes[id] = Some(Size { least: 0, exact: None });
    let exactly = |bytes| Size { least: bytes, exact: Some(bytes) };
    let size = match &steps[id] {
        Step::Null | Step::Fail(_) => exactly(0),
        Step::Boolean => exactly(1),
        Step::Float => exactly(4),
        Step::Double => exactly(8),
        Step::Fixed(bytes) => exactly(*bytes),
        Step::Union(branches) => {
            let least = branches.iter().map(|branch| measure(steps, sizes, branch.step).least).min();
            Size { least: least.unwrap_or(0).saturating_add(1), exact: None }
        }
        Step::Record(record) => record.fields.iter().fold(exactly(0), |sum, field| {
            let size = measure(steps, sizes, field.step);
            Size {
                least: sum.least.saturating_add(size.least),
                exact: sum.exact.zip(size.exact).and_then(|(a, b)| a.checked_add(b)),
            }
        }),
        Step::Logical { of, .. } => measure(steps, sizes, *of),
        _ => VARIABLE,
    };
    sizes[id] = Some(size);
    size
}

#[cfg(test)]
mod tests {
    use super::super::schema::Type;
    use super::*;

    fn of(id: TypeId) -> Use {
        Use { id, by_name: false }
    }

    fn schema(kinds: Vec<Kind>) -> Schema {
        let types = kinds.into_iter().map(|kind| Type { kind, logical: None, source: 0 }).collect();
        Schema { types, root: of(0) }
    }

    fn field(name: NameId, id: TypeId, default: Option<DefaultId>) -> Field {
        Field { name, of: of(id), aliases: vec![], default, nullable: false, takes_float: false }
    }

    fn record(fields: Vec<Field>) -> Kind {
        Kind::Record(Record { name: 0, aliases: vec![], fields, is_error: false })
    }

    fn texts() -> Vec<Box<str>> {
        ["n.R", "a", "b", "c"].map(Box::from).to_vec()
    }

    #[test]
    fn fields_are_matched_skipped_and_filled_in() {
        let writer = schema(vec![record(vec![field(1, 1, None), field(2, 2, None)]), Kind::Int, Kind::Double]);
        let reader = schema(vec![record(vec![field(3, 1, Some(7)), field(2, 1, None)]), Kind::Double]);
        let reading = Reading::new(&writer, Some(&reader), &texts(), false).expect("resolves");
        let Step::Record(record) = &reading.steps[reading.root] else { panic!("no record") };
        assert_eq!(record.fields.iter().map(|field| field.name).collect::<Vec<_>>(), [None, Some(2)]);
        assert_eq!(record.defaults, [(3, 7)]);
        assert_eq!(reading.sizes[reading.root], Size { least: 9, exact: None });
        let backwards = Reading::new(&reader, Some(&writer), &texts(), false).expect("resolves");
        let Step::Record(record) = &backwards.steps[backwards.root] else { panic!("no record") };
        assert_eq!(record.lacks.as_deref(), Some("No default value for field a in n.R"));
    }

    #[test]
    fn the_first_branch_that_fits_is_taken() {
        let writer = schema(vec![Kind::Int]);
        let reader = schema(vec![Kind::Union(vec![of(1), of(2), of(3)]), Kind::Null, Kind::Double, Kind::Int]);
        let reading = Reading::new(&writer, Some(&reader), &texts(), false).expect("resolves");
        assert!(matches!(reading.steps[reading.root], Step::LongAsFloat));
        let reading = Reading::new(&reader, Some(&writer), &texts(), false).expect("resolves");
        let Step::Union(branches) = &reading.steps[reading.root] else { panic!("no union") };
        let fails = |branch: &Branch| matches!(reading.steps[branch.step], Step::Fail(_));
        assert_eq!(branches.iter().map(fails).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn types_that_contain_themselves_have_an_end() {
        let writer = schema(vec![record(vec![field(1, 0, None)])]);
        let reading = Reading::new(&writer, None, &texts(), false).expect("resolves");
        assert_eq!(reading.sizes[reading.root], Size { least: 0, exact: None });
    }
}
