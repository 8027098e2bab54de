namespace NullTextResearch.Inversion;

/// <summary>A method by name, as in comparisons: <c>METHOD</c>, or <c>METHOD@PATH</c> for a path other than its default.</summary>
public sealed record MethodChoice
{
    private readonly IInversion? _inversion;

    private MethodChoice(string name, InversionMethod method, IInversion? inversion, string? refusal)
    {
        Name = name;
        Method = method;
        _inversion = inversion;
        Refusal = refusal;
    }

    /// <summary>The name as given.</summary>
    public string Name { get; }

    /// <summary>The method's catalogue entry.</summary>
    public InversionMethod Method { get; }

    /// <summary>Why method and path cannot be combined; null if they can.</summary>
    public string? Refusal { get; }

    /// <summary>The method on its path.</summary>
    /// <exception cref="ArgumentException">They cannot be combined; the message is <see cref="Refusal"/>.</exception>
    public IInversion Inversion => _inversion ?? throw new ArgumentException(Refusal);

    /// <summary>Parses a name.</summary>
    /// <param name="name">Such as <c>null-text</c>, or <c>null-text@fixed-point</c>.</param>
    /// <param name="request">Settings of the method; its path is ignored. Null for the defaults.</param>
    /// <exception cref="ArgumentException">The name has another form, or there is no such method or path; the message lists the known ones.</exception>
    public static MethodChoice Parse(string name, MethodRequest? request = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Split('@') is not { Length: 1 or 2 } parts)
            throw new ArgumentException($"'{name}' must be METHOD or METHOD@PATH.");
        InversionMethod method = InversionCatalogue.Find(parts[0]);
        string? path = parts.Length == 2 ? parts[1] : null;
        string? refusal = path is null ? null : InversionCatalogue.Refusal(method, PathCatalogue.Find(path));
        return new MethodChoice(name, method, refusal is null ? InversionCatalogue.Create(parts[0], path, request) : null, refusal);
    }
}
