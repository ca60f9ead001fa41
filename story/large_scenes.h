// The large world's scenes: what can happen, and the sentences that tell it. grammar.h says how to
// read them.
#pragma once

#include <string_view>

namespace gradus::story {

inline constexpr std::string_view large_scenes = R"(
# work work
p.name is a:job.noun job.noun . | p.she works in the job.place and job.verb job.object .
p.name works in the job.place . |
  There p.she job.verb job.object every day , because p.she is a:job.noun job.noun .

# pet animals
p.name has a:animal.noun animal.noun . |
  The animal.noun says animal.sound and sleeps in the animal.home .
In a:animal.home animal.home lives the animal.noun of p.name . |
  When it is hungry , it says animal.sound .

# weather weather
It was weather.word outside , so p.name took a:weather.gear weather.gear .
Because it was weather.word , p.name did not forget p.poss weather.gear .

# clear weather after weather
At last it was not weather.word any more . | p.name did not need the weather.gear and left it at home .
p.name still had the weather.gear , but it was no longer weather.word outside .

# journey travel
In the time.noun , p.name went to the place.noun . | p.she liked the place.noun very much .
After time.meal , p.name walked to the place.noun . | It was a fine time.noun .

# return travel after journey
When p.she came back from the place.noun , p.name was hungry .
p.name did not stay in the place.noun . | p.she went home before the night .

# meeting friends after journey
p.name met q.name in the place.noun . | q.name is the q.sibling of p.name .
There was also q.name in the place.noun . | p.name was glad to see p.poss q.sibling .

# gift friends
p.name gave a:thing1.noun thing1.noun to q.name . | Now the thing1.noun belongs to q.name .
q.name got a:thing1.noun thing1.noun from p.name . | q.she thanked p.her for the thing1.noun .

# thanks friends after gift
q.name showed the thing1.noun to all q.poss friends . | This thing1.noun is from p.name , said q.name .
A good q.child takes care of a gift , so q.name cleaned the thing1.noun .

# cause feelings
p.name cause.verb p.poss thing2.noun , so p.she was cause.mood .
Why was p.name cause.mood ? | Because p.she cause.verb p.poss thing2.noun .

# reaction feelings after cause
p.she was so cause.mood about the thing2.noun that p.she cause.reaction .
q.name saw that p.name cause.reaction because of the thing2.noun . | q.she knew that p.name was cause.mood .

# shopping things
p.name bought a:color.word color.word thing3.noun . |
  The thing3.noun is color.word , because p.name likes color.word things .
In the shop p.name looked for a:thing3.noun thing3.noun . |
  p.she took the color.word one , so now p.poss thing3.noun is color.word .

# quality things
The thing4.noun of q.name was not quality.word . | It was quality.opposite .
Is the thing4.noun of q.name quality.word ? | No , said q.name , my thing4.noun is quality.opposite .

# hiding things
q.name put the thing5.noun into the container.noun . |
  The next day , the thing5.noun was still in the container.noun .
Where is my thing5.noun ? asked q.name . |
  It lies in the container.noun , said p.name , and in the container.noun was the thing5.noun .

# kind nature
p.name drew a:kind.noun kind.noun . | a:kind.noun kind.noun is a kind of kind.category .
What is a:kind.noun kind.noun ? asked q.name . | It is a sort of kind.category , said p.name .

# meal food
For time.meal , p.name ate food.noun . | p.she likes food.noun in the time.noun .
p.name cooked food.noun for q.name . | They ate the food.noun in the time.noun , and it was a good time.meal .

# calendar calendar
Today is day.today , and tomorrow will be day.tomorrow . | p.name will visit q.name on day.tomorrow .
p.name waited from day.today to day.tomorrow . | The day after day.today is day.tomorrow , said q.name .

# hobby leisure
p.name likes to verb.base . | Yesterday p.she verb.past the whole day .
Last week q.name verb.past all morning . | This week p.name wants to verb.base as well .

# counting numbers
On the picture p.name saw one number.one . | On the next there were two number.many .
How many number.many are there ? asked q.name . | There is only one number.one , said p.name .

# letter travel
q.name wrote a letter from town.noun . | p.name had never been to town.noun .
Is the train to town.noun late ? asked p.name . | It is , said q.name , but town.noun is not far away .

# abroad travel
p.name comes from country.noun . |
  p.she lived in country.capital and speaks country.language .
The capital of country.noun is country.capital . | There p.name learned country.language .

# reading nature
q.name read a book about the kind2.noun . |
  The author calls the kind2.noun a very interesting kind2.category .
Every kind2.category was new to q.name . | So p.name explained what a:kind2.noun kind2.noun looks like .

# comparison things
p.name has a:quality2.word quality2.word thing6.noun , while q.name has a:quality2.opposite quality2.opposite one .
Two shops sell a:thing6.noun thing6.noun like this . |
  One is quality2.word , the other is quality2.opposite , so p.name took the quality2.word thing6.noun .

# tour travel
From the place2.noun , the road leads to the place3.noun . |
  p.name rested in the place2.noun and reached the place3.noun at night .
First q.name saw the place2.noun , then the place3.noun . | The place3.noun was nicer than the place2.noun , wrote q.she .

# mystery things
Somebody left a:color2.word color2.word thing7.noun near the place4.noun . |
  Nobody in the place4.noun had ever owned a:color2.word color2.word thing7.noun .
A stranger asked for the way to the place4.noun . | q.name remembered q.poss color2.word thing7.noun and the color2.word hat .

# ending ending
At the end of the day , p.name went to bed and slept well .
The stars were bright when q.name said good night to p.name .
p.name told q.name about it , and then p.poss day was over .
)";

}  // namespace gradus::story
