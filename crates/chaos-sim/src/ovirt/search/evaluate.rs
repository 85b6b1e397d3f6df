//! Which rows a search selects, in which order, and which page of them.

use std::cmp::Ordering;
use std::ops::Range;

use super::operand::place;
use super::vocabulary::{Field, Object, Type};
use super::{Condition, Query, Reading, Row, Value};

/// A row for each object that a term is about; None where nothing belongs to what is searched for.
type Joined<'r> = Vec<(Object, Option<&'r dyn Row>)>;

impl Query {
    /// Whether a row is selected: whether the terms hold for it together with one object of each kind that they refer to.
    pub(super) fn matches(&self, row: &dyn Row, reading: Reading) -> bool {
        let mut subjects: Vec<Object> = Vec::new();
        for subject in self.terms.iter().flatten().flatten().filter_map(|condition| condition.subject) {
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        self.joins(row, &subjects, &Vec::new(), reading)
    }

    fn joins(&self, row: &dyn Row, subjects: &[Object], joined: &Joined<'_>, reading: Reading) -> bool {
        let Some((subject, rest)) = subjects.split_first() else { return self.holds(row, joined, reading) };
        let related = subject.kind().map(|kind| row.related(kind)).unwrap_or_default();
        let holds_with = |other: Option<&dyn Row>| {
            let mut joined: Joined<'_> = joined.clone();
            joined.push((*subject, other));
            self.joins(row, rest, &joined, reading)
        };
        if related.is_empty() { holds_with(None) } else { related.iter().any(|other| holds_with(Some(&**other))) }
    }

    fn holds(&self, row: &dyn Row, joined: &Joined<'_>, reading: Reading) -> bool {
        let about = |subject: Option<Object>| match subject {
            None => Some(row),
            Some(subject) => joined.iter().find(|(object, _)| *object == subject).and_then(|(_, row)| *row),
        };
        let holds = |condition: &Condition| condition.holds(about(condition.subject), self.own, reading);
        self.terms.iter().all(|any| any.iter().any(|all| all.iter().all(holds)))
    }

    /// Sorts by the field that was asked for; rows that are equal in it stay in their order. Absent values come first, or
    /// last in descending order.
    pub(super) fn sort<R: Row>(&self, rows: &mut [R]) {
        let Some(sort) = self.sort else { return };
        rows.sort_by(|a, b| {
            let order = order(sort.field, a.value(sort.field.name).as_ref(), b.value(sort.field.name).as_ref());
            if sort.is_descending { order.reverse() } else { order }
        });
    }

    /// The rows of the page out of `count`.
    pub(super) fn page(&self, count: usize, max: Option<usize>) -> Range<usize> {
        let whole = 0..max.unwrap_or(count).min(count);
        match (self.page, max) {
            (None | Some(1), _) => whole,
            (Some(0), _) | (Some(_), None) => 0..0,
            (Some(page), Some(max)) => {
                let before = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(max).min(count);
                before..before.saturating_add(max).min(count)
            }
        }
    }
}

impl Condition {
    fn holds(&self, row: Option<&dyn Row>, own: Object, reading: Reading) -> bool {
        let holds = |field: &Field| {
            let value = row.and_then(|row| row.value(field.name));
            self.operand.holds(value.as_ref(), self.relation, reading)
        };
        let Some(field) = self.field else {
            // A column without a value fits neither a free text nor its opposite.
            let mut columns = self.subject.unwrap_or(own).fields().iter().filter(|field| field.is_free_text());
            return columns.any(|field| row.and_then(|row| row.value(field.name)).is_some() && holds(field));
        };
        holds(field)
    }
}

fn order(field: &Field, a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else { return a.is_some().cmp(&b.is_some()) };
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => match field.of {
            Type::Word(words) => place(words, a).cmp(&place(words, b)),
            _ => (a.to_lowercase(), a).cmp(&(b.to_lowercase(), b)),
        },
        (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
        (Value::Flag(a), Value::Flag(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Tags(a), Value::Tags(b)) => a.cmp(b),
        // Values of different kinds have no order; a row does not mix them.
        _ => Ordering::Equal,
    }
}
