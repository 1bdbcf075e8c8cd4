//! Kubernetes does not run here. So its files are read as it reads them: each object has
//! what its kind asks for, of the right types, and no field that the kind does not know.

use std::fs;
use std::path::PathBuf;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::node::v1::RuntimeClass;
use serde::Serialize;
use serde::de::{Deserialize as _, DeserializeOwned};
use serde_json::Value;

/// The objects in the files, with the names of these.
fn objects() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes");
    let mut objects = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        for document in serde_norway::Deserializer::from_str(&text) {
            objects.push((name.clone(), Value::deserialize(document).expect(&name)));
        }
    }
    objects
}

/// What is left of an object when only what its kind knows is kept.
fn known(object: &Value) -> serde_json::Result<Value> {
    fn kept<T: Serialize + DeserializeOwned>(object: &Value) -> serde_json::Result<Value> {
        serde_json::to_value(serde_json::from_value::<T>(object.clone())?)
    }
    match object["kind"].as_str() {
        Some("Deployment") => kept::<Deployment>(object),
        Some("RuntimeClass") => kept::<RuntimeClass>(object),
        Some("Service") => kept::<Service>(object),
        kind => panic!("the kind {kind:?}, which has no test"),
    }
}

#[test]
fn objects_are_of_their_kinds() {
    let objects = objects();
    assert!(objects.len() >= 4);
    for (file, object) in objects {
        let known = known(&object).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(known, object, "{file}");
    }
}

#[test]
fn pods_are_those_that_are_selected() {
    let objects = objects();
    let objects: Vec<&Value> = objects.iter().map(|(_, object)| object).collect();
    let labels = |object: &Value| object["spec"]["template"]["metadata"]["labels"].clone();
    let of_kind = |kind: &'static str| {
        let all = objects.iter().copied();
        all.filter(move |object| object["kind"] == kind)
    };
    for deployment in of_kind("Deployment") {
        let selected = &deployment["spec"]["selector"]["matchLabels"];
        assert_eq!(*selected, labels(deployment));
    }
    for service in of_kind("Service") {
        let mut deployments = of_kind("Deployment");
        assert!(deployments.any(|object| labels(object) == service["spec"]["selector"]));
    }
}

#[test]
fn a_field_that_a_kind_does_not_know_is_found() {
    let mut objects = objects().into_iter().map(|(_, object)| object);
    let mut object = objects
        .find(|object| object["kind"] == "Deployment")
        .unwrap();
    object["spec"]["replica"] = Value::from(2);
    assert_ne!(known(&object).unwrap(), object);
    object["spec"]["replicas"] = Value::from("two");
    assert!(known(&object).is_err());
}
