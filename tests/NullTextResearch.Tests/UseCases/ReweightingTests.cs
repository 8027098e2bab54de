using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Scenes;
using Xunit;

namespace NullTextResearch.Tests.UseCases;

/// <summary>Factors of words are for editors that know them: with the others they are refused, not ignored.</summary>
public sealed class ReweightingTests
{
    private const string Caption = "a cat in the meadow in the fog";

    public static TheoryData<string> Editors => [.. EditorCatalogue.All.Select(e => e.Id)];

    [Theory]
    [MemberData(nameof(Editors))]
    public void Edit_Weights_ChangeThePictureOrAreRefused(string id)
    {
        EditorOptions editor = EditorCatalogue.Find(id).Default;
        using StableDiffusion model = StableDiffusion.LoadMini();
        using InvertedPicture picture = model.Invert(
            Picture(),
            Caption,
            new InvertOptions { Steps = 4, Method = InversionCatalogue.Create(id == "h-edit" ? "edit-friendly" : "npi", null, new MethodRequest()) }
        );
        if (editor is PromptToPromptOptions or HEditOptions)
        {
            Assert.NotEqual(Edit(1).Rgb, Edit(6).Rgb);
            return;
        }
        ArgumentException refused = Assert.Throws<ArgumentException>(() => Edit(6));
        Assert.Contains($"the editor {id} does not re-weight words: use prompt-to-prompt", refused.Message, StringComparison.Ordinal);

        RgbImage Edit(double factor)
        {
            using EditedPicture edited = model.Edit(
                picture,
                Caption,
                new EditOptions
                {
                    Editor = editor,
                    Weights = new Dictionary<string, double> { ["fog"] = factor },
                }
            );
            return edited.Image;
        }
    }

    private static RgbImage Picture()
    {
        using SceneRenderer renderer = new();
        SceneDescription scene = ToyScenes.Sample(3, SceneSplit.HeldOut, SceneDomain.Second.Scenes);
        return new RgbImage(64, 64, renderer.Render(scene, 64));
    }
}
