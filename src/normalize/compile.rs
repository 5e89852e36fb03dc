//! Compiles an [`EventSpec`] into a [`Normalizer`] at start, and says all that is wrong with it at once.

use super::{
    AllowPart, AllowSpec, Empty, EventSpec, Format, Normalizer, RuleSpec, Shape,
    cloud::CloudStanding,
    form::{Allow, Form, Rule},
    place::Place,
    split::Split,
    template::{
        Template,
        grammar::{Grammar, Tries},
    },
};
use crate::request::{
    Withheld,
    slot::{Params, Slot, Standing},
};
use std::fmt;

/// One thing that is wrong with the `event` part of a sender document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// The field, as `event.rules.2.key`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What a sender's `event` part is compiled for.
pub struct Setting<'a> {
    /// The sender's name; with `source` it makes the envelope's `source`.
    pub sender: &'a str,
    /// The source's name.
    pub source: &'a str,
    /// The configured constants.
    pub params: Params,
    /// Where a request carries a credential, which is never kept.
    pub withheld: Withheld,
    /// How far verification believes the last of some slots, which is read where those before it are absent; of the
    /// elements at a pointer with `*`, where one is given.
    pub standing: &'a dyn Fn(&[Slot], Option<&str>) -> Standing,
    /// Whether the sender's document states that the id alone names the event.
    pub ids_are_unique: bool,
}

impl fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The constants may be references to what must not print.
        f.debug_struct("Setting")
            .field("sender", &self.sender)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// Gathers problems while parts are compiled.
struct Compiler<'c> {
    grammar: Grammar<'c>,
    errors: Vec<CompileError>,
}

impl Normalizer {
    /// Compiles a sender's `event` part for one source. Returns every problem of the document.
    pub fn compile(spec: &EventSpec, setting: Setting<'_>) -> Result<Self, Vec<CompileError>> {
        // Without `each` the body is the one element whose lists are parted.
        let each = spec.each.as_deref().or(spec.one_of.as_ref().map(|_| "."));
        let (tries, root) = (Tries::default(), String::new());
        let grammar = Grammar { tries, root, each, standing: setting.standing, reads_path: false };
        let mut compiler = Compiler { grammar, errors: Vec::new() };
        let format = spec.format.unwrap_or(Format::Any);
        let split = compiler.split(spec, format);
        let whole = [Shape::default()];
        let shapes = spec.shapes.as_deref().filter(|shapes| !shapes.is_empty()).unwrap_or(&whole);
        let forms: Vec<Form> = shapes.iter().map(|shape| compiler.form(spec, shape)).collect();
        if !compiler.errors.is_empty() {
            // Each shape compiles the same templates again; one report of each problem is enough.
            compiler.errors.dedup();
            return Err(compiler.errors);
        }
        Ok(Self {
            source_name: setting.source.into(),
            source: format!("/{}/{}", setting.sender, setting.source).into(),
            format,
            split,
            empty: spec.empty.unwrap_or(Empty::Quarantine),
            reads_path: compiler.grammar.reads_path,
            tries: compiler.grammar.tries,
            mints_ids: forms.iter().flat_map(|form| &form.rules).any(Rule::mints_ids),
            ids_are_unique: setting.ids_are_unique,
            forms,
            withheld: setting.withheld,
            params: setting.params,
            cloud: CloudStanding::new(setting.standing),
        })
    }
}

impl Compiler<'_> {
    fn split(&mut self, spec: &EventSpec, format: Format) -> Option<Split> {
        let lists = spec.one_of.as_deref().unwrap_or_default();
        let split = match (format, spec.each.as_deref()) {
            (_, None) if lists.is_empty() => return None,
            (Format::Json | Format::Any, Some(each)) => Split::compile(each),
            (Format::Json | Format::Any, None) => Ok(Split::default()),
            (Format::Form | Format::Cloudevents, _) => {
                Err("only bodies of `format: json` are divided".to_owned())
            }
        };
        let split = split.map_err(|problem| ("each", problem));
        let split = split.and_then(|split| split.with_lists(lists).map_err(|problem| ("one_of", problem)));
        split
            .map_err(|(field, problem)| {
                self.errors.push(CompileError { field: format!("event.{field}"), problem });
            })
            .ok()
    }

    fn form(&mut self, spec: &EventSpec, shape: &Shape) -> Form {
        shape.root.as_deref().unwrap_or_default().clone_into(&mut self.grammar.root);
        let has = shape.has.as_deref().map(|has| self.places("event.shapes", has));
        let kind = spec.kind.as_deref().unwrap_or("webhook");
        let rules = match spec.rules.as_deref() {
            Some(rules) if !rules.is_empty() => rules,
            Some(_) | None => &[RuleSpec::default()][..],
        };
        Form {
            has,
            prefix: spec.type_prefix.clone().filter(|prefix| !prefix.is_empty()),
            kind: self.template("event.type", kind),
            account: self.optional("event.account", spec.account.as_deref()),
            time: self.optional("event.time", spec.time.as_deref()),
            rules: rules.iter().enumerate().map(|(i, rule)| self.rule(i, rule, &spec.defaults)).collect(),
            allow: spec.allow.iter().flatten().filter_map(|(name, allow)| self.allow(name, allow)).collect(),
        }
    }

    fn rule(&mut self, index: usize, rule: &RuleSpec, defaults: &RuleSpec) -> Rule {
        let field = |name: &str| format!("event.rules.{index}.{name}");
        Rule {
            when: rule.when.clone().unwrap_or_default(),
            has: rule.has.as_deref().or(defaults.has.as_deref()).map(|has| self.places(&field("has"), has)),
            object: self.optional(&field("object"), rule.object.as_deref().or(defaults.object.as_deref())),
            object_id: self
                .optional(&field("object_id"), rule.object_id.as_deref().or(defaults.object_id.as_deref())),
            key: self.optional(&field("key"), rule.key.as_deref().or(defaults.key.as_deref())),
            id: self.optional(&field("id"), rule.id.as_deref().or(defaults.id.as_deref())),
        }
    }

    fn allow(&mut self, name: &str, allow: &AllowSpec) -> Option<Allow> {
        let required = allow.required.unwrap_or(false);
        if allow.values.is_none() && !required {
            return None;
        }
        let field = format!("event.allow.{name}.at");
        let Some(at) = &allow.at else {
            self.errors.push(CompileError {
                field,
                problem: "expected the slot whose values are listed".to_owned(),
            });
            return None;
        };
        Some(Allow {
            name: name.to_owned(),
            at: self.template(&field, at),
            part: allow.part.unwrap_or(AllowPart::Value),
            values: allow.values.as_ref().map(|values| values.iter().map(ToString::to_string).collect()),
            required,
        })
    }

    fn optional(&mut self, field: &str, text: Option<&str>) -> Option<Template> {
        text.map(|text| self.template(field, text))
    }

    fn template(&mut self, field: &str, text: &str) -> Template {
        Template::compile(text, &mut self.grammar).unwrap_or_else(|problem| {
            self.errors.push(CompileError { field: field.to_owned(), problem });
            Template::default()
        })
    }

    fn places(&mut self, field: &str, slot: &str) -> Vec<Place> {
        self.grammar.alternatives(slot).unwrap_or_else(|problem| {
            self.errors.push(CompileError { field: field.to_owned(), problem });
            Vec::new()
        })
    }
}
