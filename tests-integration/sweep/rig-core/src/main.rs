use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::{self, OpenAIConfig};

#[tokio::main]
async fn main() {
    let peer = std::env::args().nth(1).unwrap_or_default();
    let model = OpenAIConfig::new("x")
        .with_base_url(format!("http://{peer}/v1"))
        .client()
        .completion(openai::GPT_5_2);

    match model.call(CompletionRequest::new("Who are you?")).await {
        Ok(response) => println!("{}", response.text()),
        Err(error) => println!("{error}"),
    }
}
