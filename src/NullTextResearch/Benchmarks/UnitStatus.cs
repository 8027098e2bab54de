using System.Text.Json.Serialization;

namespace NullTextResearch.Benchmarks;

/// <summary>What became of a unit of a study.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UnitStatus>))]
public enum UnitStatus
{
    /// <summary>Computed: there is an edited picture, and there are scores.</summary>
    Done,

    /// <summary>Its parts do not combine, or a prompt does not suit the model or the editor; the reason is part of the result.</summary>
    Refused,

    /// <summary>An error ended it; the next run tries it again.</summary>
    Failed,

    /// <summary>Not computed yet, or scored by other metrics than those that the study names now.</summary>
    Missing,
}
