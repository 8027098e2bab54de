namespace NullTextResearch.Hub;

/// <summary>An access token. It has no text form, so it cannot end up in a log.</summary>
public sealed class HubToken
{
    /// <summary>Wraps a token.</summary>
    /// <param name="value">The secret.</param>
    /// <exception cref="HubException">The value cannot be a token.</exception>
    public HubToken(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Length is 0 or > 4096 || !value.All(c => c is > ' ' and <= '~'))
            throw new HubException(
                HubProblem.Setting,
                "HF_TOKEN is not a valid token: it is empty, too long, or contains spaces or other invalid characters. Copy it again."
            );
        Value = value;
    }

    internal string Value { get; }

    /// <summary>Does not reveal the token.</summary>
    public override string ToString() => "(hidden)";
}
