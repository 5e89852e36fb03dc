//! Compiles an [`EventSpec`] into a [`Normalizer`] at start, and says all that is wrong with it at once.

use super::{
    AllowPart, AllowSpec, Empty, EventSpec, Format, Normalizer, RuleSpec, Shape,
    cloud::CloudStanding,
    doubts,
    form::{Allow, Form, Rule},
    place::Place,
    split::Split,
    template::{
        Template,
        grammar::{Grammar, Tries},
    },
};
use crate::request::{
    SpecProblem, Withheld,
    slot::{Params, Slot, Standing},
};

const TEMPLATE_FIX: &str = "see docs/senders.md for the grammar of templates";

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

struct Compiler<'c> {
    grammar: Grammar<'c>,
    errors: Vec<SpecProblem>,
    constants: Vec<SpecProblem>,
}

impl Normalizer {
    /// Compiles a sender's `event` part for one source. Returns every problem of the document.
    pub fn compile(spec: &EventSpec, setting: Setting<'_>) -> Result<Self, Vec<SpecProblem>> {
        // Without `each` the body is the one element whose lists are parted.
        let each = spec.each.as_deref().or(spec.one_of.as_ref().map(|_| "."));
        let (tries, root) = (Tries::default(), String::new());
        let grammar = Grammar { tries, root, each, standing: setting.standing, reads_path: false };
        let mut compiler = Compiler { grammar, errors: Vec::new(), constants: Vec::new() };
        let format = spec.format.unwrap_or(Format::Any);
        let split = compiler.split(spec, format);
        let whole = [Shape::default()];
        let shapes = spec.shapes.as_deref().filter(|shapes| !shapes.is_empty()).unwrap_or(&whole);
        let forms: Vec<Form> = shapes.iter().map(|shape| compiler.form(spec, shape)).collect();
        if !compiler.errors.is_empty() {
            return Err(compiler.errors);
        }
        Ok(Self {
            source_name: setting.source.into(),
            source: format!("/{}/{}", setting.sender, setting.source).into(),
            format,
            split,
            empty: spec.empty.unwrap_or(Empty::Quarantine),
            instead: spec.instead.clone(),
            constants: compiler.constants,
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
        split.map_err(|(field, problem)| self.error(&format!("event.{field}"), problem)).ok()
    }

    fn form(&mut self, spec: &EventSpec, shape: &Shape) -> Form {
        shape.root.as_deref().unwrap_or_default().clone_into(&mut self.grammar.root);
        let has = shape.has.as_deref().map(|has| self.places("event.shapes", has));
        let kind = shape.kind.as_deref().or(spec.kind.as_deref()).unwrap_or("'webhook'");
        let rules = match spec.rules.as_deref() {
            Some(rules) if !rules.is_empty() => rules,
            Some(_) | None => &[RuleSpec::default()][..],
        };
        Form {
            has,
            prefix: spec.type_prefix.clone().filter(|prefix| !prefix.is_empty()),
            kind: self.value("event.type", kind),
            account: spec.account.as_deref().map(|account| self.value("event.account", account)),
            time: spec.time.as_deref().map(|time| self.value("event.time", time)),
            rules: rules.iter().enumerate().map(|(i, rule)| self.rule(i, rule, &spec.defaults)).collect(),
            allow: spec.allow.iter().flatten().filter_map(|(name, allow)| self.allow(name, allow)).collect(),
        }
    }

    fn rule(&mut self, index: usize, rule: &RuleSpec, defaults: &RuleSpec) -> Rule {
        let stated = |name: &str, of: fn(&RuleSpec) -> Option<&String>| match (of(rule), of(defaults)) {
            (Some(own), _) => Some((format!("event.rules.{index}.{name}"), own.clone())),
            (None, shared) => shared.map(|shared| (format!("event.{name}"), shared.clone())),
        };
        let mut value = |name: &str, of: fn(&RuleSpec) -> Option<&String>| {
            stated(name, of).map(|(field, text)| self.value(&field, &text))
        };
        let object_id = value("object_id", |spec| spec.object_id.as_ref());
        let key = value("key", |spec| spec.key.as_ref());
        let id = value("id", |spec| spec.id.as_ref());
        let has = stated("has", |spec| spec.has.as_ref()).map(|(field, text)| self.places(&field, &text));
        let object = stated("object", |spec| spec.object.as_ref());
        let object = object.map(|(field, text)| self.template(&field, &text));
        Rule { when: rule.when.clone().unwrap_or_default(), has, object, object_id, key, id }
    }

    fn allow(&mut self, name: &str, allow: &AllowSpec) -> Option<Allow> {
        let required = allow.required.unwrap_or(false);
        if allow.values.is_none() && !required {
            return None;
        }
        let field = format!("event.allow.{name}.at");
        let Some(at) = &allow.at else {
            self.error(&field, "expected the slot whose values are listed".to_owned());
            return None;
        };
        Some(Allow {
            name: name.to_owned(),
            at: self.value(&field, at),
            part: allow.part.unwrap_or(AllowPart::Value),
            values: allow.values.as_ref().map(|values| values.iter().map(ToString::to_string).collect()),
            required,
        })
    }

    /// Compiles a template whose value differs from event to event, unless its author says that it does not.
    fn value(&mut self, field: &str, text: &str) -> Template {
        let template = self.template(field, text);
        if template.is_text() {
            let doubt = doubts::constant(field);
            if !self.constants.contains(&doubt) {
                self.constants.push(doubt);
            }
        }
        template
    }

    fn template(&mut self, field: &str, text: &str) -> Template {
        Template::compile(text, &mut self.grammar).unwrap_or_else(|problem| {
            self.error(field, problem);
            Template::default()
        })
    }

    fn places(&mut self, field: &str, slot: &str) -> Vec<Place> {
        self.grammar.alternatives(slot).unwrap_or_else(|problem| {
            self.error(field, problem);
            Vec::new()
        })
    }

    /// Notes a problem, once: each shape compiles the same templates again.
    fn error(&mut self, field: &str, problem: String) {
        let error = SpecProblem::new(field.to_owned(), problem, TEMPLATE_FIX);
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}
