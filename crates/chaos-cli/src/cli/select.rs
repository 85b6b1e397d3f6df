//! `--select`: VMs by a selector, in place of names and filters.

use clap::Args;

/// VMs by a selector. Whatever else chooses VMs conflicts with `select`.
#[derive(Debug, Clone, Args)]
pub(crate) struct SelectArgs {
    /// The VMs that a selector means, such as 'cluster:prod take 2 at random'; in place of names and filters
    #[arg(long, value_name = "SELECTOR", value_parser = selection)]
    pub(crate) select: Option<Box<chaos_core::Selection>>,

    /// The seed of a choice at random whose selector has none [default: any, which is told]
    #[arg(long, value_name = "N", requires = "select")]
    pub(crate) seed: Option<u64>,
}

fn selection(text: &str) -> Result<Box<chaos_core::Selection>, String> {
    text.parse().map(Box::new).map_err(|error: chaos_core::SelectorError| error.to_string())
}
