//! `proto/README.md` lists the services and methods that there are.

use std::collections::BTreeMap;

use planledger_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::DescriptorPool;

use crate::pages::{page, quoted, table};

#[test]
fn the_page_of_the_api_lists_every_service_and_method() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("planledger.v1."));
    let there: BTreeMap<String, Vec<String>> = services
        .map(|service| {
            let methods = service.methods().map(|method| method.name().to_owned());
            (service.name().to_owned(), methods.collect())
        })
        .collect();
    let page = page("proto/README.md");
    let rows = table(&page, "| Service | Methods | For |");
    let listed: BTreeMap<String, Vec<String>> = rows
        .iter()
        .map(|row| {
            let methods = quoted(&row[1]).into_iter().map(str::to_owned);
            (quoted(&row[0])[0].to_owned(), methods.collect())
        })
        .collect();
    // In the order in which the .proto file has them.
    assert_eq!(listed, there, "proto/README.md, first table");
    assert_eq!(rows.len(), there.len());
}
