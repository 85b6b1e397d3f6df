//! A [`Query`] as a search that means the same.

use std::fmt::{Display, Formatter, Result};

use super::{Condition, Query};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut separator = "";
        for any in &self.terms {
            for (at, all) in any.iter().enumerate() {
                for (at_inner, condition) in all.iter().enumerate() {
                    let operator = match (at_inner, at) {
                        (0, 0) => separator,
                        (0, _) => " or ",
                        (_, _) => " and ",
                    };
                    // A free text in quotes that merely follows a term must not have a blank before it: the engine would
                    // take that, and the quotation mark, as a part of it.
                    let is_bare = operator == " " && condition.field.is_none() && condition.subject.is_none();
                    write!(f, "{}{condition}", if is_bare { "" } else { operator })?;
                    separator = " ";
                }
            }
        }
        if let Some(sort) = self.sort {
            write!(f, "{separator}sortby {} {}", sort.field.name, if sort.is_descending { "desc" } else { "asc" })?;
            separator = " ";
        }
        self.page.map_or(Ok(()), |page| write!(f, "{separator}page {page}"))
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(subject) = self.subject {
            write!(f, "{}{}", subject.name(), if self.field.is_some() { "." } else { "" })?;
        }
        if let Some(field) = self.field {
            f.write_str(field.name)?;
        }
        if self.field.is_some() || self.subject.is_some() {
            f.write_str(self.relation.symbol())?;
        }
        write!(f, "\"{}\"", self.value)
    }
}
