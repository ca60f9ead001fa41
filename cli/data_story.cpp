// gradus data story: the story world's documents, and labelled sets.
#include <memory>
#include <string>

#include "gradus/cli/data_verbs.h"
#include "gradus/story/best_guess.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::cli {
namespace {

struct StoryArguments {
  std::string out, world = "small";
  story::StoryOptions options;
  bool with_tasks = false;
  story::TaskOptions tasks;
};

void tell(StoryArguments& a) {
  a.options.world = a.world == "large" ? story::World::large : story::World::small;
  const auto file = story::write_stories(a.out, a.options);
  fmt::print("{}: {} stories of the {} world\n", file.string(), a.options.documents, a.world);
  for (const auto& line : story::story(a.options.seed, 0, a.options.world).text())
    fmt::print("  {}\n", line);
  const story::Bound best = story::best_mlm(
      a.options.seed, std::min<int64_t>(a.options.documents, 2000), a.options.world);
  fmt::print("best reachable for masked words: accuracy {:.3f}, loss {:.3f}\n", best.accuracy,
             best.cross_entropy);
  if (!a.with_tasks) return;
  a.tasks.seed = a.options.seed;
  a.tasks.world = a.options.world;
  story::write_tasks(a.out, a.tasks);
  for (const story::StoryTask& task : story::tasks())
    fmt::print(
        "{}: {}\n",
        (file.parent_path() / (task.name + ".{train,validation,test}." + task.ending)).string(),
        task.format);
}

}  // namespace

void add_story(Verb& data) {
  Verb verb = data.verb("story",
                        "Write documents of the story world (a sentence a line, a blank "
                        "line between stories), and labelled sets");
  auto a = std::make_shared<StoryArguments>();
  verb.option("--out", a->out, "the folder to write stories.txt into").required();
  verb.option("--documents", a->options.documents, "how many stories");
  verb.option("--world", a->world,
              "small: about 500 words, short stories that say things twice; large: about 2,150")
      .one_of({"small", "large"});
  verb.option("--seed", a->options.seed);
  verb.flag("--overwrite", a->options.overwrite, "write into a folder that is not empty");
  const Option tasks = verb.flag("--tasks", a->with_tasks,
                                 "also the labelled sets, one for every task, with a README.md");
  verb.option("--train", a->tasks.train, "labelled examples to train on, of each task")
      .needs(tasks);
  verb.option("--validation", a->tasks.validation).needs(tasks);
  verb.option("--test", a->tasks.test).needs(tasks);
  verb.footer("Example:\n  gradus data story --out stories --documents 20000 --seed 1 --tasks");
  verb.does([a] { tell(*a); });
}

}  // namespace gradus::cli
