fn main() {
    println!(
        "{}",
        std::any::type_name::<rig_core::completion::CompletionError>()
    );
}
