using System.Text.Json;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

[LeavesNoTensors]
public sealed class InversionCatalogueTests
{
    // It needs the caption of another image, which no number says.
    private static readonly Type[] NotListed = [typeof(RandomCaptionInversion), typeof(ResumableInversion)];

    public static TheoryData<string> Every => [.. InversionCatalogue.All.Select(m => m.Id)];

    [Fact]
    public void Methods_AllOfTheLibrary_AreListed()
    {
        IEnumerable<Type> listed = InversionCatalogue.All.Select(m => m.Create(new MethodRequest()).GetType()).Append(typeof(DdimInversion)).Distinct();
        IEnumerable<Type> known = typeof(IInversion).Assembly.GetExportedTypes().Where(t => t.IsClass && t.IsAssignableTo(typeof(IInversion)));
        Assert.Equal(known.Except(NotListed).OrderBy(t => t.Name), listed.OrderBy(t => t.Name));
    }

    [Fact]
    public void Laws_AllOfTheCatalogue_AreChecked()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 1);
        Type[] under = [.. AllInversions.Names.Select(name => AllInversions.Make(name, problem).GetType())];
        Assert.All(InversionCatalogue.All, m => Assert.Contains(m.Create(new MethodRequest()).GetType(), under));
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Cost_Stated_IsWhatIsCounted(string id)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionMethod method = InversionCatalogue.Find(id);
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        MethodRequest request = new() { InnerSteps = 3, NullText = NullTextOptions.Default with { StopEarly = false } };
        using InversionResult result = method.Create(request).Invert(problem);
        Assert.Equal(method.Cost(problem.Grid.Steps, 3), new MethodCost(result.EvaluationsPerImage, result.BackwardsPerImage));
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Options_OfTwoSettings_Differ(string id)
    {
        InversionMethod method = InversionCatalogue.Find(id);
        string Options(MethodRequest request) => JsonSerializer.Serialize(method.Create(request).Options, ResultCache.Json);
        Assert.Equal(method.Optimises, Options(new MethodRequest { InnerSteps = 3 }) != Options(new MethodRequest { InnerSteps = 4 }));
        Assert.Equal(method.DrawsNoise, Options(new MethodRequest { Seed = 3 }) != Options(new MethodRequest { Seed = 4 }));
        Assert.Equal(method.IsPivotal, Options(new MethodRequest()) != Options(new MethodRequest { NullText = NullTextOptions.Paper }));
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Options_OfTheMethod_AreThoseOfItsResult(string id)
    {
        using DisposeScope scope = NewDisposeScope();
        IInversion method = InversionCatalogue.Find(id).Create(new MethodRequest { InnerSteps = 1 });
        using InversionResult result = method.Invert(new ToyPredictor().Problem(images: 1));
        Assert.Equal(JsonSerializer.Serialize(result.Options, ResultCache.Json), JsonSerializer.Serialize(method.Options, ResultCache.Json));
    }

    [Fact]
    public void Find_NoSuchMethod_NamesThoseThereAre() =>
        Assert.Contains("null-text, ddim", Assert.Throws<ArgumentException>(() => InversionCatalogue.Find("nul-text")).Message, StringComparison.Ordinal);
}
