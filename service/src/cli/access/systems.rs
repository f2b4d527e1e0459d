//! `access system list`.

use clap::Args;
use planledger_proto::v1::system_identity::Identity;
use planledger_proto::v1::{ListSystemsRequest, ListSystemsResponse, System};

use super::super::error::CliError;
use super::super::output;
use super::super::remote::Remote;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let mut request = ListSystemsRequest::default();
        let mut systems = Vec::new();
        loop {
            let page = client.access().list_systems(request.clone()).await?;
            let page = page.into_inner();
            systems.extend(page.systems);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        if self.json {
            return output::json(&ListSystemsResponse {
                systems,
                ..Default::default()
            });
        }
        let heads = [
            "system",
            "name",
            "kind",
            "proves itself by",
            "for people",
            "state",
        ];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        rows.extend(systems.iter().map(row));
        output::table(&rows);
        Ok(())
    }
}

fn row(system: &System) -> Vec<String> {
    let details = system.details.clone().unwrap_or_default();
    let kind = details.kind().as_str_name();
    let kind = kind.strip_prefix("SYSTEM_KIND_").unwrap_or(kind);
    let identities = details
        .identities
        .iter()
        .filter_map(|one| one.identity.as_ref());
    let identities: Vec<_> = identities.map(proof).collect();
    let for_people = match (
        details.may_act_for_people,
        details.may_name_person_in_header,
    ) {
        (false, _) => "no",
        (true, false) => "yes",
        (true, true) => "yes, by header",
    };
    vec![
        format!("system/{}", system.system_id),
        details.name.clone(),
        kind.to_ascii_lowercase(),
        identities.join(", "),
        for_people.to_owned(),
        if system.revoked { "revoked" } else { "in use" }.to_owned(),
    ]
}

fn proof(identity: &Identity) -> String {
    match identity {
        Identity::SpiffeId(id) => id.clone(),
        Identity::DnsName(name) => format!("dns {name}"),
        Identity::Fingerprint(digits) => format!("sha256 {digits}"),
        Identity::Client(client) => format!("{} at {}", client.client_id, client.issuer),
    }
}
