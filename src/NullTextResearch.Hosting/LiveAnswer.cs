using System.Text.Json.Nodes;

namespace NullTextResearch.Hosting;

/// <summary>Answers a message of a shown element.</summary>
/// <param name="message">What it sent, a JSON object.</param>
/// <param name="send">Sends a JSON object to every element that has opened the channel; from any thread, also after the answer has ended.</param>
/// <param name="superseded">Cancelled when a newer message has come, or the user has stopped the work.</param>
public delegate void LiveAnswer(JsonObject message, Action<JsonObject> send, CancellationToken superseded);
