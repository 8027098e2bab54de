using System.Text.Json.Nodes;

namespace NullTextResearch.DotNetInteractive.Tests;

/// <summary>What a cell sent to its front end.</summary>
/// <param name="Status">Jupyter's word for how it ended.</param>
/// <param name="Messages">Its messages, in order.</param>
public sealed record Ran(string Status, IReadOnlyList<JsonNode> Messages)
{
    /// <summary>Everything that can be read, for assertions and for telling what went wrong.</summary>
    public string Everything =>
        string.Join(
            '\n',
            Messages.Select(m =>
                Type(m) switch
                {
                    "stream" => $"[{m["name"]}] {m["text"]}",
                    "error" => $"[error] {m["evalue"]} {m["traceback"]}",
                    _ => $"[{Type(m)}] {m["data"]?["text/plain"]}",
                }
            )
        );

    /// <summary>The outputs that have a representation.</summary>
    public IReadOnlyList<string> Of(string mime) => [.. Messages.Select(m => m["data"]?[mime]?.GetValue<string>()).OfType<string>()];

    /// <summary>How many messages are of a type.</summary>
    public int Count(string type) => Messages.Count(m => Type(m) == type);

    /// <summary>The cell, if it ended well.</summary>
    public Ran Succeeded()
    {
        Assert.True(Status == "ok" && Count("error") == 0, Everything);
        return this;
    }

    private static string Type(JsonNode message) => message["type"]!.GetValue<string>();
}
