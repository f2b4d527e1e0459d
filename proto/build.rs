//! Compiles the .proto files, without protoc.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("proto");
    let folder = root.join("planledger/v1");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "proto")
    });
    // The order of a folder is the file system's; the generated code must not depend on it.
    files.sort();

    let mut compiler = protox::Compiler::new([root])?;
    // Comments travel along, so that clients of the reflection service can show them.
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("planledger.v1.bin"),
        compiler.encode_file_descriptor_set(),
    )?;
    // Messages know their names, so that any of them can be printed as canonical JSON.
    let mut config = prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}
