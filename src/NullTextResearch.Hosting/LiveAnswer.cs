using System.Text.Json.Nodes;

namespace NullTextResearch.Hosting;

/// <summary>Answers a message of a displayed element.</summary>
/// <param name="message">The JSON object that the element sent.</param>
/// <param name="send">Sends a JSON object to every element that has opened the channel; callable from any thread, even after the answer has ended.</param>
/// <param name="superseded">Cancelled when a newer message has arrived or the user has stopped the work.</param>
public delegate void LiveAnswer(JsonObject message, Action<JsonObject> send, CancellationToken superseded);
