use cargo_metadata::MetadataCommand;

#[test]
fn every_crate_inherits_the_workspace_lints() {
    let manifest = mantissa_tests::workspace_root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    assert!(metadata.packages.len() > 15);
    for package in metadata.packages {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{} does not inherit the lints", package.manifest_path);
        assert!(text.contains("edition.workspace = true"), "{} sets its own edition", package.manifest_path);
    }
}
