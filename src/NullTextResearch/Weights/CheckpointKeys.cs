namespace NullTextResearch.Weights;

/// <summary>Names under which older checkpoints store the same weights.</summary>
public static class CheckpointKeys
{
    private static readonly (string Old, string New)[] VaeAttention =
    [
        (".query.", ".to_q."),
        (".key.", ".to_k."),
        (".value.", ".to_v."),
        (".proj_attn.", ".to_out.0."),
    ];

    /// <summary>Integer buffers that carry no information.</summary>
    public static bool IsIgnored(string key) => key.EndsWith("position_ids", StringComparison.Ordinal);

    /// <summary>The key of a VAE weight under diffusers' newer attention names (query becomes to_q, and so on).</summary>
    public static string NewerVaeKey(string key) => Rename(key, t => (t.Old, t.New));

    /// <summary>The key of a VAE weight under diffusers' older attention names.</summary>
    public static string OlderVaeKey(string key) => Rename(key, t => (t.New, t.Old));

    /// <summary>The key of a text encoder weight without the outer module, which older versions of transformers and the newest ones do not write.</summary>
    public static string OlderTextKey(string key) => key.StartsWith("text_model.", StringComparison.Ordinal) ? key["text_model.".Length..] : key;

    private static string Rename(string key, Func<(string Old, string New), (string From, string To)> direction)
    {
        if (!key.Contains(".attentions.", StringComparison.Ordinal))
            return key;
        foreach ((string Old, string New) pair in VaeAttention)
        {
            (string from, string to) = direction(pair);
            if (key.Contains(from, StringComparison.Ordinal))
                return key.Replace(from, to, StringComparison.Ordinal);
        }
        return key;
    }
}
