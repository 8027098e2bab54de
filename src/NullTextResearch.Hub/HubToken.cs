namespace NullTextResearch.Hub;

/// <summary>A secret that proves who asks. It has no text form, so that it cannot end up in a log.</summary>
public sealed class HubToken
{
    /// <summary>Wraps a token.</summary>
    /// <param name="value">The secret.</param>
    /// <exception cref="HubException">No token looks like this.</exception>
    public HubToken(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Length is 0 or > 4096 || !value.All(c => c is > ' ' and <= '~'))
            throw new HubException(
                HubProblem.Setting,
                "HF_TOKEN is no token: it is empty, too long, or holds blanks or letters that no token has. Copy it again."
            );
        Value = value;
    }

    internal string Value { get; }

    /// <summary>Does not tell.</summary>
    public override string ToString() => "(hidden)";
}
