//! `planledger catalogue`: looks at catalogues of goals.

use clap::{Args, Subcommand};

use super::error::CliError;
use super::output;
use super::remote::{Remote, block_on};
use crate::settings::File;
use crate::wire::proto::{CatalogueScale, ListCatalogueScalesRequest};

const PAGE: i32 = 500;

/// Look at catalogues of goals
#[derive(Debug, Subcommand)]
pub(super) enum Catalogue {
    /// List the scales of a catalogue that a goal can have, each with its levels, lowest first
    Scales(Scales),
}

#[derive(Debug, Args)]
pub(super) struct Scales {
    /// The catalogue (UUID)
    catalogue: String,
    /// Only scales that assess this item of the catalogue (UUID)
    #[arg(long = "for", value_name = "ITEM")]
    item: Option<String>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Catalogue {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Scales(scales) => block_on(scales.run(file)),
        }
    }
}

impl Scales {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let mut request = ListCatalogueScalesRequest {
            catalogue_id: self.catalogue,
            assessed_item_id: self.item,
            page_size: PAGE,
            ..ListCatalogueScalesRequest::default()
        };
        let mut service = client.catalogues();
        let mut scales = Vec::new();
        loop {
            let page = service.list_catalogue_scales(request.clone()).await?;
            let page = page.into_inner();
            scales.extend(page.scales);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        if self.json {
            let scales: Vec<_> = scales.iter().map(json).collect();
            output::value(&serde_json::json!({ "scales": scales }));
            return Ok(());
        }
        let mut rows = vec![["scale", "title", "levels"].map(str::to_owned).to_vec()];
        rows.extend(scales.into_iter().map(|scale| {
            let levels = scale.levels.join(" < ");
            vec![scale.item_id, scale.title, levels]
        }));
        output::table(&rows);
        Ok(())
    }
}

fn json(scale: &CatalogueScale) -> serde_json::Value {
    serde_json::json!({
        "item_id": scale.item_id,
        "title": scale.title,
        "levels": scale.levels,
        "assessed_item_ids": scale.assessed_item_ids,
    })
}
